"""Every command of docs/tour.md, in its order, prints what the page says."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from local.conftest import start_up, stop_up

_PAGE = Path(__file__).parents[3] / "docs" / "tour.md"
_BLOCK = re.compile(r"(<!-- not run: .+? -->\n)?```console\n(.+?)```", re.DOTALL)
_COMMAND = re.compile(r"^\$ (.+?)$(?=\n(?! {4}-))", re.MULTILINE | re.DOTALL)


def _steps() -> list[tuple[str, str]]:
    """Return each command with the output that follows it on the page."""
    steps = []
    for not_run, block in _BLOCK.findall(_PAGE.read_text()):
        if not not_run:
            pieces = _COMMAND.split("\n" + block)[1:]
            steps += list(zip(pieces[::2], pieces[1::2], strict=True))
    return [(command, output.strip("\n")) for command, output in steps]


def _pattern(output: str) -> str:
    """Return the regular expression of an output, in which `…` is any text."""
    return ".*?".join(re.escape(part) for part in output.split("…"))


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What each command prints in an estate without other documents."""
    estate = start_up(tmp_path_factory.mktemp("tour"))
    try:
        return [
            subprocess.run(
                ["bash", "-euo", "pipefail", "-c", command],  # noqa: S607
                env={**os.environ, **estate.variables},
                capture_output=True,
                text=True,
                check=True,
                timeout=120,
            ).stdout.strip("\n")
            for command, _ in _steps()
        ]
    finally:
        stop_up(estate)


def test_the_page_has_commands_with_outputs() -> None:
    steps = _steps()
    assert len(steps) >= 6
    assert sum(bool(output) for _, output in steps) >= 5


@pytest.mark.parametrize("step", range(len(_steps())))
def test_a_command_prints_what_the_page_shows(printed: list[str], step: int) -> None:
    command, output = _steps()[step]
    if output:
        assert re.fullmatch(_pattern(output), printed[step], re.DOTALL), (
            f"{command}\nprinted:\n{printed[step]}"
        )
