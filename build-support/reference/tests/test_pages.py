"""The pages of docs/reference are what the sources say."""

import re
from pathlib import Path

import pytest

from reference.errors import error_codes
from reference.events import LogEvent, log_events
from reference.modules import ROOMS
from reference.pages import FOLDER, PAGES, PROGRAM, render
from reference.settings import groups
from reference.table import code, table
from reference.variables import LAYERS, variables
from shared.telemetry.metrics import METRICS

REPOSITORY = Path(__file__).parents[3]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_up_to_date(name: str) -> None:
    path = FOLDER / name
    assert (REPOSITORY / path).read_text() == render(REPOSITORY)[path], f"outdated: run {PROGRAM}"


def test_every_setting_says_what_it_means() -> None:
    paths = sorted(REPOSITORY.glob("backend/*/settings.py"))
    assert len(paths) > 1
    silent = [
        f"{path.parent.name}: {variable}"
        for path in paths
        for group in groups(path).values()
        for setting in group.settings
        for variable in setting.variables
        if not setting.meaning
    ]
    assert silent == []


@pytest.mark.parametrize("layer", LAYERS)
def test_every_variable_of_terraform_has_a_description(layer: str) -> None:
    found = [*variables(REPOSITORY / layer)]
    assert len(found) > 5
    assert [variable.name for variable in found if not variable.description] == []


def test_the_page_of_logs_lists_every_metric() -> None:
    text = (REPOSITORY / "docs/logs.md").read_text()
    section = text.split("\n## Metrics\n")[1].split("\n## ")[0]
    listed = dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", section, re.MULTILINE))
    # The rotation function writes this one by itself.
    assert listed.pop("QuotaRemainingPercent") == "Percent"
    assert listed == dict(METRICS)


def test_every_room_with_a_logger_is_read() -> None:
    with_events = {
        path.relative_to(REPOSITORY / "backend").parts[0]
        for path in (REPOSITORY / "backend").rglob("*.py")
        if "tests" not in path.parts and "get_logger(__name__)" in path.read_text()
    }
    assert with_events - {"benchmarks", "local"} <= set(ROOMS)


def test_a_setting_is_read_with_its_variable_default_and_meaning(tmp_path: Path) -> None:
    path = tmp_path / "settings.py"
    path.write_text(
        '''
class Settings(FullServiceSettings):
    table: str
    """The table
    of things."""
    limit: int = Field(default=3, ge=1)
    region: str = Field(validation_alias=AliasChoices("A", "B"))
'''
    )
    group = groups(path)["Settings"]
    assert group.bases == ("FullServiceSettings",)
    assert [(s.variables, s.kind, s.default, s.meaning) for s in group.settings] == [
        (("TABLE",), "str", None, "The table of things."),
        (("LIMIT",), "int", "3", ""),
        (("A", "B"), "str", None, ""),
    ]


def test_an_error_code_has_its_own_status_or_that_of_its_base(tmp_path: Path) -> None:
    path = tmp_path / "errors.py"
    path.write_text(
        '''
class Forbidden(ServiceError):
    """No."""
    status, code, retried = 403, "forbidden", True

class OnlyHere(Forbidden):
    """Not here.

    More text.
    """
    code = "only_here"
'''
    )
    assert [(e.status, e.code, e.meaning) for e in error_codes([path])] == [
        (403, "forbidden", "No."),
        (403, "only_here", "Not here."),
    ]


def _room(folder: Path, text: str) -> Path:
    (folder / "room").mkdir()
    (folder / "room" / "module.py").write_text(text)
    return folder


def test_an_event_may_be_a_literal_a_variable_or_a_parameter(tmp_path: Path) -> None:
    backend = _room(
        tmp_path,
        """
def first(x):
    _log.info("plain" if x else "other", size=1)

def second():
    event = "chosen"
    _log.warning(event)

def third(event):
    _log.exception(event)

def fourth():
    third("from_caller")
""",
    )
    assert sorted(log_events(backend, "room")) == [
        LogEvent("chosen", "warning", (), "room/module.py"),
        LogEvent("from_caller", "error", ("exception",), "room/module.py"),
        LogEvent("other", "info", ("size",), "room/module.py"),
        LogEvent("plain", "info", ("size",), "room/module.py"),
    ]


def test_an_event_that_cannot_be_known_is_an_error(tmp_path: Path) -> None:
    backend = _room(tmp_path, 'def f(x):\n    _log.info(x.y + "z")\n')
    with pytest.raises(ValueError, match=r"room/module\.py:2: write the event as a literal"):
        [*log_events(backend, "room")]


def test_a_cell_cannot_break_its_table() -> None:
    assert table(("a",), [("x | y\nz",)]) == "| a |\n|---|\n| x \\| y z |\n"
    assert code("a`b") == "``a`b``"
