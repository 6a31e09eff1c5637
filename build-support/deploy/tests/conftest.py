"""Fixtures: a fake GitHub, a client of it, and the variables of a workflow's step."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.github import Github
from deploy.tests.fakes import FakeGithub, serving

_REPOSITORY = "acme/fin-advisor"
_TOKEN = "token"


@pytest.fixture
def fake() -> FakeGithub:
    return FakeGithub()


@pytest.fixture
def github_url(fake: FakeGithub) -> Iterator[str]:
    with serving(fake) as url:
        yield url


@pytest.fixture
def github(github_url: str) -> Github:
    return Github(_REPOSITORY, _TOKEN, github_url)


@pytest.fixture
def step_outputs(github_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Set the variables of a workflow's step, and return the file of its outputs."""
    outputs = tmp_path / "outputs"
    for name, value in {
        "GITHUB_API_URL": github_url,
        "GITHUB_OUTPUT": str(outputs),
        "GITHUB_REPOSITORY": _REPOSITORY,
        "GITHUB_RUN_ID": "1",
        "GH_TOKEN": _TOKEN,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    return outputs
