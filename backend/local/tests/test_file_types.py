"""The command line and the console know every file that the runner reads, its bound and its id."""

import re
from pathlib import Path

import pytest

from client.cli.files import SourceFile
from local.console import uploads
from runner.extraction import BY_SUFFIX, CONTENT_TYPES
from runner.items import document_id
from runner.settings import Settings


@pytest.mark.parametrize("suffix", sorted(BY_SUFFIX))
def test_each_suffix_that_the_runner_reads_has_a_type_of_that_kind(suffix: str) -> None:
    name = f"report.{suffix}"
    media_type = SourceFile(Path(name), name).content_type
    assert CONTENT_TYPES[media_type] == BY_SUFFIX[suffix]
    assert uploads._TYPES[f".{suffix}"] == media_type


def test_the_console_knows_no_other_suffix_and_the_same_bound() -> None:
    assert {f".{one}" for one in BY_SUFFIX} == uploads._TYPES.keys()
    assert Settings.model_fields["max_document_bytes"].default == uploads.LARGEST_BYTES


def test_the_page_sends_the_same_suffixes() -> None:
    page = Path(uploads.__file__).parent / "web" / "src" / "drop.tsx"
    [found] = re.findall(r"const READABLE =\s+/\\\.\(([a-z|]+)\)\$/i;", page.read_text())
    assert found.split("|") == [*BY_SUFFIX]


@pytest.mark.parametrize("name", ["a.md", "Blue Harbour Saver.md", "fees/Übersicht 2026.csv"])
def test_a_file_is_the_same_document_however_it_is_ingested(name: str) -> None:
    key, _ = uploads._key(name)
    assert document_id(key) == SourceFile(Path(name), name).document_id
