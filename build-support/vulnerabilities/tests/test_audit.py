"""The step says what it found, and says so where it could not ask."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from vulnerabilities.advisories import Auditor
from vulnerabilities.audit import COULD_NOT_ASK, main

PACKAGES = {"one": "1.0", "Two_Parts": "2.0"}


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    requirements = [{"project_name": n, "version": v} for n, v in PACKAGES.items()]
    document = {"locked_resolves": [{"locked_requirements": requirements}]}
    path = tmp_path / "default.lock"
    path.write_text(f"// A comment of Pants\n{json.dumps(document, indent=2)}\n")
    return path


def _answers(stdout: str, stderr: str = "", code: int = 0) -> Auditor:
    def auditor(requirements: Path) -> subprocess.CompletedProcess[str]:
        assert requirements.read_text() == "Two_Parts==2.0\none==1.0\n"
        return subprocess.CompletedProcess([], code, stdout, stderr)

    return auditor


def _document(*more: dict[str, Any]) -> str:
    clean = {"name": "two-parts", "version": "2.0", "vulns": []}
    return json.dumps({"dependencies": [clean, *more], "fixes": []})


def test_packages_without_a_vulnerability_pass(
    lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = _answers(_document({"name": "one", "version": "1.0", "vulns": []}))
    assert main([f"--lock={lock}"], answer) == 0
    assert "2 locked packages" in capsys.readouterr().out


def test_a_vulnerability_is_named_with_its_fix(
    lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [{"id": "PYSEC-2026-1", "fix_versions": ["1.1"]}, {"id": "GHSA-x", "fix_versions": []}]
    answer = _answers(_document({"name": "one", "version": "1.0", "vulns": found}), code=1)
    assert main([f"--lock={lock}"], answer) == 1
    printed = capsys.readouterr().err.splitlines()
    assert printed == ["one 1.0: PYSEC-2026-1, fixed in 1.1", "one 1.0: GHSA-x, no fix yet"]


@pytest.mark.parametrize(
    ("stdout", "stderr", "expected"),
    [
        ("", "Traceback\nConnectionError: no route to host\n", "no route to host"),
        ("", "", "it printed nothing"),
        # pip-audit passes with exit code 0 where a package is skipped or left out.
        (
            _document({"name": "one", "skip_reason": "not found"}),
            "No known vulnerabilities found",
            "no answer about 1 of 2 packages: one",
        ),
        (_document(), "", "no answer about 1 of 2 packages: one"),
    ],
)
def test_without_an_answer_it_says_that_it_could_not_ask(
    lock: Path, capsys: pytest.CaptureFixture[str], stdout: str, stderr: str, expected: str
) -> None:
    assert main([f"--lock={lock}"], _answers(stdout, stderr)) == COULD_NOT_ASK
    printed = capsys.readouterr()
    assert "could not ask about known vulnerabilities" in printed.err
    assert expected in printed.err
    assert printed.out == ""


def test_no_answer_in_time_is_no_answer(lock: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def auditor(requirements: Path) -> subprocess.CompletedProcess[str]:
        raise subprocess.TimeoutExpired("pip-audit", 900)

    assert main([f"--lock={lock}"], auditor) == COULD_NOT_ASK
    assert "no answer within 900 s" in capsys.readouterr().err


def test_the_real_program_without_a_network_could_not_ask(
    lock: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Through a proxy on a port of this machine on which nothing listens."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert main([f"--lock={lock}"]) == COULD_NOT_ASK
    assert "could not ask" in capsys.readouterr().err
