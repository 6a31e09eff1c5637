"""The env file: what a shell reads, who may read it, and when it is there."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from local.env_file import EnvFile


def test_a_child_process_of_the_shell_gets_the_variables_unchanged(tmp_path: Path) -> None:
    path, value = tmp_path / "estate.env", "/a folder/$HOME's `logs`"
    EnvFile(path).write({"LOG_DIR": value, "OTLP_ENDPOINT": ""})
    shown = subprocess.run(
        ["sh", "-euc", '. "$1"; sh -euc \'printf %s "$LOG_DIR$OTLP_ENDPOINT"\'', "sh", str(path)],  # noqa: S607
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"]},
    )
    assert shown.stdout == value
    assert path.read_text().splitlines()[1] == "export OTLP_ENDPOINT=''"
    assert EnvFile(path).read() == {"LOG_DIR": value, "OTLP_ENDPOINT": ""}


def test_a_file_with_other_lines_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "estate.env"
    path.write_text("LOG_DIR=/logs\n")
    with pytest.raises(ValueError, match="is not an env file"):
        EnvFile(path).read()


def test_only_the_owner_may_read_it_from_the_first_byte_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: list[int] = []

    def fstat(descriptor: int) -> os.stat_result:
        result = real(descriptor)
        modes.append(stat.S_IMODE(result.st_mode))
        return result

    real = os.fstat
    monkeypatch.setattr("local.env_file.os.fstat", fstat)
    before = os.umask(0)
    try:
        EnvFile(tmp_path / "estate.env").write({"API_KEY": "secret"})
    finally:
        os.umask(before)
    assert modes == [0o600]  # of the temporary file, before it is renamed
    assert stat.S_IMODE((tmp_path / "estate.env").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["estate.env"]


def test_it_is_removed_unless_another_run_replaced_it(tmp_path: Path) -> None:
    path = tmp_path / "estate.env"
    first, second = EnvFile(path), EnvFile(path)
    first.write({"API_GATEWAY_URL": "1"})
    second.write({"API_GATEWAY_URL": "2"})
    first.remove()
    assert "2" in path.read_text()
    second.remove()
    assert not path.exists()
    second.remove()


def test_what_was_not_written_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "estate.env"
    path.touch()
    EnvFile(path).remove()
    assert path.exists()


@pytest.mark.parametrize("text", ["", "\n", "export API_GATEWAY_URL=http://127.0.0.1:1/dev\n"])
def test_a_file_of_an_earlier_run_may_be_replaced(tmp_path: Path, text: str) -> None:
    path = tmp_path / "estate.env"
    path.write_text(text)
    assert EnvFile(path).problem() is None


def test_a_path_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "mine.env").write_text("export PASSWORD=x\n")
    problems = {
        tmp_path: "is a folder: name a file, such as",
        tmp_path / "mine.env": "exists and is not an env file of the estate",
        tmp_path / "no" / "estate.env": "cannot be written: No such file or directory",
        tmp_path / "mine.env" / "estate.env": "cannot be written: Not a directory",
        Path(os.devnull): "exists and is not an env file of the estate",
    }
    for path, expected in problems.items():
        problem = EnvFile(path).problem()
        assert problem is not None
        assert expected in problem
        assert "\n" not in problem
    assert (tmp_path / "mine.env").read_text() == "export PASSWORD=x\n"
