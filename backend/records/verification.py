"""Finds what is missing, changed or added in a bucket with records, or in a copy of it."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from hashlib import sha256
from typing import Any, Final, Literal, NamedTuple

import orjson

from records import seals
from records.versions import RECORDS, SEALS, Source, Version

Kind = Literal[
    "missing", "changed", "second_version", "delete_marker", "chain_broken", "not_sealed"
]
NOTES: Final = frozenset({"not_sealed"})
"""Kinds that are no fault: the next seal names these records."""


class Finding(NamedTuple):
    """Something that is not as it was written.

    Attributes:
        key: The object's key.
        detail: One sentence for an operator.
    """

    kind: Kind
    key: str
    detail: str


class Report(NamedTuple):
    """The result of a verification.

    Attributes:
        last_seal: Number and SHA-256 of the newest seal. Whoever notes them elsewhere can notice
            later that the newest seals were removed together with their records.
    """

    findings: tuple[Finding, ...]
    records: int
    seals: int
    last_seal: tuple[int, str] | None

    @property
    def is_clean(self) -> bool:
        return all(one.kind in NOTES for one in self.findings)

    def counts(self) -> dict[str, int]:
        return dict(Counter(one.kind for one in self.findings))


class _Record(NamedTuple):
    """The fields of a record that later checks need."""

    key: str
    sha256: str
    previous: str | None


def verify(source: Source, *, expected: tuple[int, str] | None = None) -> Report:
    """Return a report on a bucket or a copy.

    Args:
        source: The bucket or copy.
        expected: The number and the SHA-256 of a seal, noted at an earlier verification.
    """
    return _Verification(source).run(expected)


class _Verification:
    def __init__(self, source: Source) -> None:
        self._source = source
        self._findings: list[Finding] = []
        self._sealed: dict[tuple[str, str], str] = {}
        self._seals: dict[int, str] = {}
        # Writer, then sequence.
        self._chains: defaultdict[str, dict[int, _Record]] = defaultdict(dict)

    def run(self, expected: tuple[int, str] | None) -> Report:
        self._read_seals(expected)
        count = self._read_records()
        missing = {key for key, _ in self._sealed}
        for key, version in self._sealed:
            self._find("missing", key, f"A seal names version {version}, which is not there.")
        self._check_chains(missing)
        last = max(self._seals.items(), default=None)
        return Report(tuple(self._findings), count, len(self._seals), last)

    def _find(self, kind: Kind, key: str, detail: str) -> None:
        self._findings.append(Finding(kind, key, detail))

    def _read_seals(self, expected: tuple[int, str] | None) -> None:
        self._check_versions(list(self._source.versions(SEALS)))
        oldest: dict[str, seals.StoredSeal] = {}
        for stored in seals.read(self._source):
            oldest[stored.version.key] = stored
        previous: str | None = None
        number = 0
        for key, stored in oldest.items():
            seal = stored.seal
            if seal is None or key != seal.key:
                self._find("changed", key, "It is no seal, or the seal of another number.")
                continue
            while number + 1 < seal.number:
                number += 1
                previous = None
                self._find("missing", seals.key_of(number), "This seal is not there.")
            number = seal.number
            if previous is not None and seal.previous != previous:
                before = seals.key_of(number - 1)
                self._find("chain_broken", before, "The next seal names another hash of it.")
            previous = stored.sha256
            self._seals[number] = stored.sha256
            self._sealed |= {(one.key, one.version): one.sha256 for one in seal.records}
        if expected is not None and self._seals.get(expected[0]) != expected[1]:
            key = seals.key_of(expected[0])
            self._find("changed", key, "It is missing or has another hash than was noted.")

    def _read_records(self) -> int:
        versions = list(self._source.versions(RECORDS))
        self._check_versions(versions)
        stored = [one for one in versions if not one.is_marker]
        for version, content in self._source.contents(stored):
            digest = sha256(content).hexdigest()
            sealed = self._sealed.pop((version.key, version.id), None)
            if sealed is None:
                self._find("not_sealed", version.key, f"No seal names version {version.id} yet.")
            elif sealed != digest:
                self._find(
                    "changed", version.key, f"Version {version.id} has another hash than its seal."
                )
            self._remember(version, content, digest)
        return len(stored)

    def _check_versions(self, versions: list[Version]) -> None:
        """Find delete markers and second versions; the oldest version of a key comes last."""
        seen: Counter[str] = Counter()
        for one in versions:
            if one.is_marker:
                self._find("delete_marker", one.key, f"It was deleted at {one.modified}.")
                continue
            seen[one.key] += 1
        for key, count in seen.items():
            if count > 1:
                self._find("second_version", key, f"It has {count} versions instead of one.")

    def _remember(self, version: Version, content: bytes, digest: str) -> None:
        try:
            fields: Any = orjson.loads(content)
            link = fields["writer"]
            writer, sequence = str(link["writer_id"]), int(link["sequence"])
            is_own = fields["key"] == version.key
        except (ValueError, KeyError, TypeError):
            is_own = False
        if not is_own:
            self._find("changed", version.key, "It is no record, or the record of another key.")
            return
        self._chains[writer][sequence] = _Record(version.key, digest, link["previous"])

    def _check_chains(self, reported: set[str]) -> None:
        changed = {one.key for one in self._findings if one.kind in {"changed", "second_version"}}
        for writer, records in self._chains.items():
            for sequence in range(1, max(records)):
                if sequence not in records and not any(
                    key.endswith(f"/{writer}-{sequence:08d}.json") for key in reported | changed
                ):
                    self._find(
                        "missing",
                        f"{writer}-{sequence:08d}.json",
                        f"Writer {writer} has later records, and none with this sequence.",
                    )
            for sequence, record in records.items():
                before = records.get(sequence - 1)
                if before is None or {before.key, record.key} & changed:
                    continue
                if before.sha256 != record.previous:
                    self._find(
                        "chain_broken", before.key, f"{record.key} names another hash of it."
                    )


def lines(report: Report, *, most: int) -> Iterator[str]:
    """Yield a report for a terminal, with at most `most` findings of a kind."""
    shown: Counter[str] = Counter()
    for one in report.findings:
        shown[one.kind] += 1
        if shown[one.kind] <= most:
            yield f"{one.kind:15} {one.key}: {one.detail}"
        elif shown[one.kind] == most + 1:
            yield f"{one.kind:15} and more; --all lists them"
    counts = ", ".join(f"{count} {kind}" for kind, count in report.counts().items())
    yield f"{report.records} records, {report.seals} seals: {counts or 'all as written'}"
    if report.last_seal:
        number, digest = report.last_seal
        yield f"newest seal: {number}:{digest} (note it; --seal checks it later)"
