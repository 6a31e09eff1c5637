"""The manifest of the `s3` store: its changes and its encoding."""

import json
from dataclasses import replace
from typing import Any

import pytest

from s3vector.manifest import (
    MAX_DIGEST_IDS,
    Addition,
    Manifest,
    SegmentEntry,
    decode_manifest,
    digest_of,
)
from s3vector.segments import CorruptObject


def _entry(key: str) -> SegmentEntry:
    return SegmentEntry(key, "0" * 64, 10, 1)


def _addition(key: str, *document_ids: str) -> Addition:
    return Addition(_entry(key), digest_of(document_ids))


def _manifest(*keys: str) -> Manifest:
    return Manifest("space", 4, "2026-01-01T00:00:00+00:00", tuple(map(_entry, keys)))


def _keys(manifest: Manifest | None) -> list[str]:
    assert manifest is not None
    return [one.key for one in manifest.segments]


def test_a_manifest_is_decoded_as_it_was_encoded() -> None:
    manifest = _manifest("a").appended(_addition("b", "tax"))
    assert decode_manifest("key", manifest.encode()) == manifest
    assert manifest.last_commit == "b"
    assert manifest.size == 20


def test_a_manifest_lists_only_the_last_commits() -> None:
    manifest = _manifest()
    for number in range(400):
        manifest = replace(manifest.appended(_addition(f"commit-{number}")), segments=())
    assert manifest.last_commit == "commit-399"
    assert len(manifest.commits) == 256


def test_a_merged_segment_takes_the_place_of_its_run() -> None:
    manifest = _manifest("a", "b", "c", "d")
    assert _keys(manifest.merged(["b", "c"], _addition("m"), "x")) == ["a", "m", "d"]
    assert _keys(manifest.merged(["a"], None, "x")) == ["b", "c", "d"]


@pytest.mark.parametrize("run", [["b", "d"], ["d", "e"], ["x"], ["c", "b"]])
def test_a_run_that_is_no_longer_listed_is_not_merged(run: list[str]) -> None:
    assert _manifest("a", "b", "c", "d").merged(run, _addition("m"), "x") is None


def test_a_digest_excludes_only_segments_that_have_none_of_the_ids() -> None:
    many = [f"d{number}" for number in range(MAX_DIGEST_IDS + 1)]
    manifest = _manifest("old").appended(_addition("new", "a", "b"), _addition("large", *many))
    assert manifest.may_have("new", ["x", "b"])
    assert not manifest.may_have("new", ["x", "c"])
    for without_digest in ("old", "large"):
        assert manifest.may_have(without_digest, ["x"])
    assert decode_manifest("key", manifest.encode()).digests == manifest.digests


def test_a_document_is_untouched_until_a_commit_that_may_change_it() -> None:
    digest = digest_of(["a"])
    manifest = _manifest().appended(_addition("first", "a"), _addition("second", "b"))
    assert manifest.is_untouched(digest, since="first")
    assert not manifest.is_untouched(digest, since="unknown")
    assert not manifest.is_untouched("", since="first")
    merged = manifest.merged(["second"], None, "merge")
    assert merged is not None
    assert merged.is_untouched(digest, since="first")
    assert not merged.appended(_addition("third", "a")).is_untouched(digest, since="first")
    assert not merged.appended(_addition("third")).is_untouched(digest, since="first")


def test_a_merge_drops_the_digests_of_its_run() -> None:
    manifest = _manifest().appended(_addition("a", "1"), _addition("b", "2"), _addition("c", "3"))
    merged = manifest.merged(["a", "b"], _addition("m", "1", "2"), "x")
    assert merged is not None
    assert merged.digests.keys() == {"m", "c"}
    assert not merged.may_have("m", ["3"])


def test_a_manifest_of_the_release_before_is_read() -> None:
    """It has no digests."""
    fields = json.loads(_manifest("a").encode())
    del fields["digests"]
    assert decode_manifest("key", json.dumps(fields).encode()).may_have("a", ["any"])


_SEGMENT = {"key": "k", "checksum": "c", "size": 1, "passages": 1}


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 2},
        {"created_at": "yesterday"},
        {"dimensions": "many"},
        {"segments": [1]},
        {"segments": [_SEGMENT | {"key": 1}]},
        {"segments": [_SEGMENT | {"size": "1"}]},
        {"segments": [_SEGMENT | {"more": 1}]},
        {"segments": [{"key": "k"}]},
        {"commits": None},
        {"digests": [1]},
    ],
)
def test_a_manifest_that_cannot_be_read_is_corrupt(changes: dict[str, Any]) -> None:
    valid = json.loads(_manifest("a").encode())
    decode_manifest("the-manifest", json.dumps(valid).encode())
    with pytest.raises(CorruptObject, match="the-manifest"):
        decode_manifest("the-manifest", json.dumps(valid | changes).encode())
