"""What is missing, changed or added is named, in a bucket and in a copy of it."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from records import copying
from records.copying import CopyError, LocalCopy
from records.sealing import Sealing
from records.tests.made import BEGIN, MadeRecords, MemoryBucket, Writer, damage
from records.verification import Report, lines, verify
from records.versions import RECORDS, SEALS, Source


@pytest.fixture
def bucket() -> MemoryBucket:
    """Two writers with three records each, in three seals."""
    made = MemoryBucket()
    writers = [Writer("a"), Writer("b")]
    for hour in range(3):
        now = BEGIN + timedelta(hours=hour)
        for writer in writers:
            made.put(*writer.next(now))
        Sealing(made, now=lambda now=now: now).seal()  # type: ignore[misc]
    return made


@pytest.fixture(params=["bucket", "copy"])
def verified(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[MemoryBucket], Report]:
    def verified(bucket: MemoryBucket) -> Report:
        source: Source = bucket
        if request.param == "copy":
            copying.export(bucket, tmp_path / "copy")
            source = LocalCopy(tmp_path / "copy")
        return verify(source)

    return verified


Verified = Callable[[MemoryBucket], Report]


def kinds(report: Report) -> list[tuple[str, str]]:
    return [(one.kind, one.key) for one in report.findings]


def flipped(data: bytes) -> bytes:
    return data[:-3] + bytes([data[-3] ^ 1]) + data[-2:]


def test_what_is_as_written_is_clean(bucket: MemoryBucket, verified: Verified) -> None:
    report = verified(bucket)
    assert (report.findings, report.records, report.seals) == ((), 6, 3)
    assert report.is_clean
    assert next(iter(lines(report, most=5))) == "6 records, 3 seals: all as written"


@pytest.mark.parametrize("number", range(6))
def test_a_changed_bit_is_named(bucket: MemoryBucket, verified: Verified, number: int) -> None:
    key = bucket.keys(RECORDS)[number]
    bucket.change(key, flipped)
    report = verified(bucket)
    assert {key for _, key in kinds(report)} == {key}
    assert "changed" in {kind for kind, _ in kinds(report)}
    assert not report.is_clean


@pytest.mark.parametrize("number", range(6))
def test_a_missing_record_is_named(bucket: MemoryBucket, verified: Verified, number: int) -> None:
    key = bucket.keys(RECORDS)[number]
    bucket.remove(key)
    assert kinds(verified(bucket)) == [("missing", key)]


def test_a_second_version_is_named(bucket: MemoryBucket, verified: Verified) -> None:
    key = bucket.keys(RECORDS)[2]
    bucket.put(key, b'{"forged":true}')
    report = verified(bucket)
    assert ("second_version", key) in kinds(report)
    assert {key for _, key in kinds(report)} == {key}
    assert not report.is_clean


def test_a_delete_marker_is_named(bucket: MemoryBucket, verified: Verified) -> None:
    key = bucket.keys(RECORDS)[2]
    bucket.delete(key)
    assert kinds(verified(bucket)) == [("delete_marker", key)]


def test_what_is_not_sealed_yet_is_named_and_no_fault(
    bucket: MemoryBucket, verified: Verified
) -> None:
    key, content = Writer("c").next(BEGIN)
    bucket.put(key, content)
    report = verified(bucket)
    assert kinds(report) == [("not_sealed", key)]
    assert report.is_clean


def test_before_the_first_seal_the_chains_show_what_is_missing_or_changed(
    verified: Verified,
) -> None:
    bucket, writer = MemoryBucket(), Writer("a")
    records = [writer.next(BEGIN) for _ in range(4)]
    for number, (key, content) in enumerate(records):
        if number != 1:
            bucket.put(key, content)
    bucket.change(records[2][0], lambda data: data.replace(b"ab12", b"ab13"))
    faults = [one for one in kinds(verified(bucket)) if one[0] != "not_sealed"]
    assert faults == [("missing", "a-00000002.json"), ("chain_broken", records[2][0])]


def test_a_record_under_another_key_is_no_record_of_that_key(
    bucket: MemoryBucket, verified: Verified
) -> None:
    _, content = Writer("c").next(BEGIN)
    bucket.put("records/2026/11/01/00/d-00000001.json", content)
    assert ("changed", "records/2026/11/01/00/d-00000001.json") in kinds(verified(bucket))


@pytest.mark.parametrize("number", [1, 2])
def test_a_missing_seal_is_named(bucket: MemoryBucket, verified: Verified, number: int) -> None:
    key = bucket.keys(SEALS)[number - 1]
    bucket.remove(key)
    assert ("missing", key) in kinds(verified(bucket))


def test_a_changed_seal_is_named_by_the_next(bucket: MemoryBucket, verified: Verified) -> None:
    key = bucket.keys(SEALS)[1]

    def without_a_record(data: bytes) -> bytes:
        fields = orjson.loads(data)
        fields["records"].pop()
        return orjson.dumps(fields)

    bucket.change(key, without_a_record)
    assert ("chain_broken", key) in kinds(verified(bucket))


def test_a_seal_that_was_noted_shows_that_the_newest_were_removed(bucket: MemoryBucket) -> None:
    noted = verify(bucket).last_seal
    assert noted is not None
    assert verify(bucket, expected=noted).findings == ()
    bucket.remove(bucket.keys(SEALS)[-1])
    for key in bucket.keys(RECORDS)[-2:]:
        bucket.remove(key)
    assert verify(bucket).findings == ()
    assert kinds(verify(bucket, expected=noted)) == [("changed", "seals/00000003.json")]


# --- Copies ---------------------------------------------------------------------------------------


def test_a_large_copy_with_three_faults(tmp_path: Path) -> None:
    count = 3_000
    assert copying.export(MadeRecords(count), tmp_path, (RECORDS, SEALS)) == count + 3
    copy = LocalCopy(tmp_path)
    assert verify(copy).findings == ()
    changed, missing, twice = (list(copy.versions(RECORDS))[n] for n in (10, 1_500, 2_999))
    damage(tmp_path, changed.key, missing.key, twice.key)
    report = verify(LocalCopy(tmp_path))
    faults = {one for one in kinds(report) if one[0] != "not_sealed"}
    assert faults == {
        ("changed", changed.key),
        ("missing", missing.key),
        ("second_version", twice.key),
    }


def test_a_file_that_is_missing_in_a_copy_changes_its_records(
    bucket: MemoryBucket, tmp_path: Path
) -> None:
    copying.export(bucket, tmp_path)
    (tmp_path / "records/2026/11/01/01.jsonl").unlink()
    report = verify(LocalCopy(tmp_path))
    assert {one.kind for one in report.findings} == {"changed"}
    assert len({one.key for one in report.findings}) == 2


def test_an_export_needs_an_empty_folder(bucket: MemoryBucket, tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    with pytest.raises(CopyError, match="not empty"):
        copying.export(bucket, tmp_path)


def test_a_folder_without_an_index_is_no_copy(tmp_path: Path) -> None:
    with pytest.raises(CopyError, match="no copy"):
        LocalCopy(tmp_path)


@pytest.mark.parametrize("key", ["records", "records/../../x", "/records/x"])
def test_no_key_leaves_the_folder(key: str) -> None:
    with pytest.raises(CopyError, match="cannot be copied"):
        copying.file_of(key)


def test_no_index_reads_outside_of_the_folder(bucket: MemoryBucket, tmp_path: Path) -> None:
    copying.export(bucket, tmp_path / "copy")
    index = tmp_path / "copy" / copying.INDEX
    index.write_bytes(index.read_bytes().replace(b'"seals.jsonl"', b'"../secret"'))
    with pytest.raises(CopyError, match="outside"):
        verify(LocalCopy(tmp_path / "copy"))
