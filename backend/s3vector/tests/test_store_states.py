"""A state machine of the `s3` store: writers that overtake each other, crash, merge and read.

Other operations run between any two requests of an operation, and a process can be killed at any
request, before or after S3 carried it out.
"""

import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from s3vector import s3_store
from s3vector.compaction import Limits
from s3vector.pool import Pool
from s3vector.s3_store import MANIFEST, PENDING, SEGMENTS, S3VectorStore
from s3vector.segments import encode_segment
from s3vector.tests import plain_bm25, release_1
from s3vector.tests.fakes import DIMENSIONS, SPACE, document, hashed_vector
from s3vector.tests.memory_bucket import S3, Crash, MemoryBucket

_IDS = st.sampled_from(["a", "b", "c", "d"])
_WRITERS = st.integers(0, 2)
_ABSENT = ""
_COMMON = ["tax", "rate", "tax"]
_QUESTION = "What is the tax rate of a 401k in text7?"
_REQUESTS = [
    ("get", MANIFEST),
    ("put", SEGMENTS),
    ("put", PENDING),
    ("list", PENDING),
    ("put", MANIFEST),
    ("delete", SEGMENTS),
]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)


class StoreStates(RuleBasedStateMachine):
    """`possible` has, for each document, the texts that a reader may find."""

    @initialize()
    def start(self) -> None:
        self.s3 = S3()
        self.writers = [self._store() for _ in range(3)]
        self.reader = self._store()
        self.possible: dict[str, set[str]] = {}
        # What was not acknowledged may still be committed, until a commit changes the document.
        self.unacknowledged: dict[str, set[str]] = {}
        self.turn = 0

    def _store(self) -> tuple[S3VectorStore, MemoryBucket]:
        bucket = MemoryBucket(self.s3)
        store = S3VectorStore(
            bucket,  # type: ignore[arg-type]
            space=SPACE,
            dimensions=DIMENSIONS,
            capacity_bytes=2**20,
            pool=Pool(1),
            limits=Limits(max_segment_bytes=64 * 1024, fanout=3),
        )
        return store, bucket

    def _new_text(self) -> str:
        """Return a text like no other, with words that others have too."""
        self.turn += 1
        return " ".join([f"text{self.turn}", *_COMMON[: self.turn % 4], "401(k)" * (self.turn % 2)])

    def _put(self, writer: int, document_id: str) -> str:
        text = self._new_text()
        self.writers[writer][0].put([document(document_id, text)])
        return text

    def _acknowledged(self, document_id: str, text: str, *, meanwhile: set[str]) -> None:
        # Of operations at the same time either may be the last.
        self.unacknowledged.pop(document_id, None)
        self.possible[document_id] = {text, *meanwhile}

    def _not_there(self, document_id: str) -> None:
        """A deletion found nothing to delete and wrote nothing."""
        self.possible[document_id] = {_ABSENT} | self.unacknowledged.get(document_id, set())

    @rule(writer=_WRITERS, document_id=_IDS)
    def put(self, writer: int, document_id: str) -> None:
        self._acknowledged(document_id, self._put(writer, document_id), meanwhile=set())

    @rule(writer=_WRITERS, document_id=_IDS)
    def put_by_the_release_before(self, writer: int, document_id: str) -> None:
        """Its segments have no postings; this release reads and merges them."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(s3_store, "encode_segment", _encode_without_postings)
            text = self._put(writer, document_id)
        self._acknowledged(document_id, text, meanwhile=set())

    @rule(writer=_WRITERS, document_id=_IDS)
    def delete(self, writer: int, document_id: str) -> None:
        if self.writers[writer][0].delete(document_id):
            self._acknowledged(document_id, _ABSENT, meanwhile=set())
        else:
            self._not_there(document_id)

    @rule(
        document_id=_IDS,
        other_id=_IDS,
        at=st.sampled_from(_REQUESTS),
        times=st.integers(1, 3),
        delete=st.booleans(),
        crowded=st.booleans(),
        after=st.booleans(),
    )
    def overtaken(
        self,
        document_id: str,
        other_id: str,
        at: tuple[str, str],
        times: int,
        *,
        delete: bool,
        crowded: bool,
        after: bool,
    ) -> None:
        """Other writers put before or after the first requests of a kind of this one."""
        bucket = self.writers[0][1]
        if crowded:
            for writer in range(3):
                self.crowded(writer)
        meanwhile: set[str] = set()

        def others_write(number: int) -> None:
            if number <= times:
                text = self._put(1 + number % 2, other_id)
                if other_id == document_id:
                    meanwhile.add(text)
                else:
                    self._acknowledged(other_id, text, meanwhile=set())

        with _at_each_request(bucket, others_write, after=after, only=at):
            if delete:
                text = _ABSENT
                if not self.writers[0][0].delete(document_id):
                    if not meanwhile:
                        self._not_there(document_id)
                        return
                    text = next(iter(meanwhile))
            else:
                text = self._put(0, document_id)
        self._acknowledged(document_id, text, meanwhile=meanwhile)

    @rule(writer=_WRITERS, document_id=_IDS, at=st.integers(1, 9), carried_out=st.booleans())
    def killed(self, writer: int, document_id: str, at: int, *, carried_out: bool) -> None:
        """The process ends at a request; what it wrote may be there or not."""
        bucket = self.writers[writer][1]

        def crash(number: int) -> None:
            if number == at:
                raise Crash

        text = self._new_text()
        with _at_each_request(bucket, crash, after=carried_out):
            try:
                self.writers[writer][0].put([document(document_id, text)])
            except Crash:
                self.writers[writer] = self._store()
                before = self.possible.get(document_id, {_ABSENT})
                self.possible[document_id] = before | {text}
                self.unacknowledged.setdefault(document_id, set()).add(text)
                return
        self._acknowledged(document_id, text, meanwhile=set())

    @rule(writer=_WRITERS, at=st.integers(1, 12), document_id=_IDS, delete=st.booleans())
    def erase(self, writer: int, at: int, document_id: str, *, delete: bool) -> None:
        """Another writer changes a document before one of the requests of an erasure."""
        store, bucket = self.writers[writer]
        other = (writer + 1) % 3

        def change(number: int) -> None:
            if number == at:
                self.delete(other, document_id) if delete else self.put(other, document_id)

        with _at_each_request(bucket, change):
            store.erase()
        assert store.erase().is_complete
        manifest = release_1.decode_manifest(self.s3.objects[MANIFEST].data) if self._begun else {}
        stored = b"".join(self.s3.objects[one["key"]].data for one in manifest.get("segments", []))
        found = re.findall(r"text\d+", stored.decode(errors="ignore"))
        assert set(found) == {text.split()[0] for text in _texts(self.reader[0]).values()}

    @property
    def _begun(self) -> bool:
        return MANIFEST in self.s3.objects

    def crowded(self, writer: int) -> None:
        """The writer expects others, so that it offers its additions to them."""
        self.writers[writer][0]._manifest._crowded_until = time.monotonic() + 60

    @rule(writer=_WRITERS)
    def restarted(self, writer: int) -> None:
        self.writers[writer] = self._store()

    @rule(at=st.integers(1, 9), document_id=_IDS)
    def read_while_another_writes(self, at: int, document_id: str) -> None:
        """A reader loads the store; a writer writes and merges before one of its requests."""
        store, bucket = self._store()
        before = {key: set(texts) for key, texts in self.possible.items()}

        def write(number: int) -> None:
            if number == at:
                self._acknowledged(document_id, self._put(1, document_id), meanwhile=set())

        with _at_each_request(bucket, write):
            found = _texts(store)
        for one in ("a", "b", "c", "d"):
            allowed = before.get(one, {_ABSENT}) | self.possible.get(one, {_ABSENT})
            assert found.get(one, _ABSENT) in allowed

    @invariant()
    def readers_agree_on_what_was_acknowledged(self) -> None:
        if not hasattr(self, "s3"):
            return
        found = _texts(self.reader[0])
        assert found == _texts(self._store()[0])
        assert found == release_1.texts({key: one.data for key, one in self.s3.objects.items()})
        for one, allowed in self.possible.items():
            assert found.get(one, _ABSENT) in allowed
        assert self.reader[0].get(list(self.possible)).keys() == found.keys()
        hits = self.reader[0].query(hashed_vector("text1"), 10, None)
        assert {hit.document_id: hit.text for hit in hits} == found
        self._words_agree_with_the_formula(found)

    def _words_agree_with_the_formula(self, found: dict[str, str]) -> None:
        """Words of texts that were replaced, deleted or never committed do not count."""
        scores = plain_bm25.scores(_QUESTION, list(found.values()))
        expected = {one: score for one, score in zip(found, scores, strict=True) if score}
        hits = self.reader[0].query(None, 10, None, words=_QUESTION)
        assert {hit.document_id: hit.lexical for hit in hits} == pytest.approx(expected, rel=1e-4)

    @invariant()
    def every_listed_segment_exists(self) -> None:
        if hasattr(self, "s3") and MANIFEST in self.s3.objects:
            manifest = release_1.decode_manifest(self.s3.objects[MANIFEST].data)
            keys = [one["key"] for one in manifest["segments"]]
            assert len(set(keys)) == len(keys)
            assert len(set(manifest["commits"])) == len(manifest["commits"])  # each once
            assert set(keys) <= {key for key in self.s3.objects if key.startswith(SEGMENTS)}


def _encode_without_postings(*documents: Any, **options: Any) -> bytes:
    data = encode_segment(*documents, **options)
    end = 16 + int.from_bytes(data[8:16], "little")
    header = json.loads(data[16:end])
    del header["postings"]
    encoded = json.dumps(header).encode()
    encoded += b" " * (-(16 + len(encoded)) % 64)
    return b"".join((data[:8], len(encoded).to_bytes(8, "little"), encoded, data[end:]))


def _texts(store: S3VectorStore) -> dict[str, str]:
    ids = [one.id for one in store.page(100, None).records]
    return {key: one.passages[0].text for key, one in store.get(ids).items()}


class _at_each_request:  # noqa: N801 - reads as a statement
    """Call a function with the number of each request to a bucket."""

    def __init__(
        self,
        bucket: MemoryBucket,
        call: Callable[[int], None],
        *,
        after: bool = False,
        only: tuple[str, str] = ("", ""),
    ) -> None:
        self._only = only
        self._bucket = bucket
        self._call = call
        self._after = after
        self._number = 0

    def __enter__(self) -> None:
        if self._after:
            self._bucket.after = self._count
        else:
            self._bucket.before = self._count

    def __exit__(self, *_: object) -> None:
        self._bucket.before = self._bucket.after = lambda _operation, _key: None

    def _count(self, operation: str, key: str) -> None:
        if not (operation.startswith(self._only[0]) and key.startswith(self._only[1])):
            return
        self._number += 1
        self._call(self._number)


StoreStates.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


TestStoreStates = StoreStates.TestCase
