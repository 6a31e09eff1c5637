"""The preflight reports all problems together."""

from pathlib import Path

import pytest

from local import preflight
from local.net.sockets import bind
from local.options import Options
from local.preflight import problems


def test_a_machine_that_has_everything_has_no_problems() -> None:
    assert problems(Options(port=0)) == []


def test_everything_that_is_missing_is_named_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "_MODULES", ("moto", "no_such_module", "nor_this_one"))
    (tmp_path / "api.zip").touch()
    with bind() as taken:
        port = taken.getsockname()[1]
        options = Options(
            port=port, env_file=tmp_path / "no" / "such.env", packages=tmp_path, run_dir=tmp_path
        )
        found = "\n".join(problems(options))
    assert "no_such_module, nor_this_one" in found
    assert f"port {port} cannot be used (Address already in use)" in found
    assert f"--env-file: {tmp_path / 'no' / 'such.env'} cannot be written: No such file" in found
    assert "has no chat.zip" in found
    assert "has no s3vector.zip" in found
    assert "api.zip" not in found


def test_a_run_dir_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (found,) = problems(Options(port=0, run_dir=tmp_path / "file"))
    assert found == f"--run-dir: {tmp_path / 'file'} is not a writable folder: File exists"


def test_a_missing_terraform_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = problems(Options(port=0, terraform=True))
    assert any("there is no terraform on PATH" in line for line in found)


def test_packages_need_a_folder(tmp_path: Path) -> None:
    (found,) = problems(Options(port=0, packages=tmp_path / "dist"))
    assert "is not a folder" in found


def test_a_bedrock_server_that_does_not_answer_is_named() -> None:
    with bind() as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        assert problems(Options(port=0, bedrock=url)) == []
    (found,) = problems(Options(port=0, bedrock=url))
    assert found == f"--bedrock: nothing answers at {url} (Connection refused)"
