"""The manifest of the `s3` store: its changes and its encoding."""

import json
from dataclasses import replace
from typing import Any

import pytest

from s3vector.manifest import Manifest, SegmentEntry, decode_manifest
from s3vector.segments import CorruptObject


def _entry(key: str) -> SegmentEntry:
    return SegmentEntry(key, "0" * 64, 10, 1)


def _manifest(*keys: str) -> Manifest:
    return Manifest("space", 4, "2026-01-01T00:00:00+00:00", tuple(map(_entry, keys)))


def _keys(manifest: Manifest | None) -> list[str]:
    assert manifest is not None
    return [one.key for one in manifest.segments]


def test_a_manifest_is_decoded_as_it_was_encoded() -> None:
    manifest = _manifest("a").appended(_entry("b"), "commit-1")
    assert decode_manifest("key", manifest.encode()) == manifest
    assert manifest.size == 20


def test_a_manifest_lists_only_the_last_commits() -> None:
    manifest = _manifest()
    for number in range(200):
        manifest = replace(manifest.appended(_entry("a"), f"commit-{number}"), segments=())
    assert manifest.commits[-1] == "commit-199"
    assert len(manifest.commits) == 64


def test_a_merged_segment_takes_the_place_of_its_run() -> None:
    manifest = _manifest("a", "b", "c", "d")
    assert _keys(manifest.merged(["b", "c"], _entry("m"), "x")) == ["a", "m", "d"]
    assert _keys(manifest.merged(["a"], None, "x")) == ["b", "c", "d"]


@pytest.mark.parametrize("run", [["b", "d"], ["d", "e"], ["x"], ["c", "b"]])
def test_a_run_that_is_no_longer_listed_is_not_merged(run: list[str]) -> None:
    assert _manifest("a", "b", "c", "d").merged(run, _entry("m"), "x") is None


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
    ],
)
def test_a_manifest_that_cannot_be_read_is_corrupt(changes: dict[str, Any]) -> None:
    valid = json.loads(_manifest("a").encode())
    decode_manifest("the-manifest", json.dumps(valid).encode())
    with pytest.raises(CorruptObject, match="the-manifest"):
        decode_manifest("the-manifest", json.dumps(valid | changes).encode())
