"""Document ids of uploads, and reading uploads from a real S3 server."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.items import document_id
from runner.parts import S3PartCounts
from runner.tests.conftest import Runner
from runner.text import ExtractionError
from runner.uploads import S3Uploads, UploadGone
from shared.aws.bucket import Bucket

_KEYS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=60).map(
    lambda name: f"uploads/{name}"
)


def test_a_name_that_is_an_id_stays_as_it_is() -> None:
    assert document_id("uploads/emergency-fund.md") == "emergency-fund.md"


@pytest.mark.parametrize(
    ("key", "start"),
    [
        ("uploads/2026/Annual Report (final).pdf", "2026-Annual-Report-final-pdf-"),
        ("uploads/a..b.txt", "a-b-txt-"),
        ("uploads/x:p2", "x-p2-"),
        ("uploads/日本", "document-"),
        ("uploads/" + "x" * 300, "x" * 80 + "-"),
    ],
)
def test_another_name_gets_a_hash(key: str, start: str) -> None:
    assert document_id(key).startswith(start)
    assert document_id(key) == document_id(key)


@given(_KEYS, _KEYS)
def test_ids_are_valid_and_no_two_keys_share_one(one: str, other: str) -> None:
    for key in (one, other):
        found = document_id(key)
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", found)
        assert ".." not in found
    assert (document_id(one) == document_id(other)) == (one == other)


@pytest.fixture
def uploads(runner: Runner) -> S3Uploads:
    return S3Uploads(Bucket(runner.bucket, lambda: runner.s3))


def test_a_listing_ends_one_entry_beyond_the_limit(uploads: S3Uploads, runner: Runner) -> None:
    runner.upload({f"uploads/{number}.txt": "x" for number in range(5)})
    assert len(uploads.listing("uploads/", limit=3)) == 4
    assert len(uploads.listing("uploads/", limit=9)) == 5


def test_a_file_that_grew_since_the_listing_is_not_read(uploads: S3Uploads, runner: Runner) -> None:
    runner.upload({"uploads/a.txt": "x" * 100})
    with pytest.raises(ExtractionError, match="over 50 bytes"):
        uploads.read("uploads/a.txt", max_bytes=50)
    with pytest.raises(UploadGone):
        uploads.read("uploads/b.txt", max_bytes=50)


@pytest.mark.parametrize("content", [b"", b"x", b"-3", b"9999999999"])
def test_a_damaged_count_of_parts_counts_as_one(content: bytes, runner: Runner, s3: Any) -> None:
    counts = S3PartCounts(Bucket(runner.bucket, lambda: s3))
    counts.put("a", 7)
    assert counts.get("a") == 7
    s3.put_object(Bucket=runner.bucket, Key="jobs/parts/a", Body=content)
    assert counts.get("a") == 1
