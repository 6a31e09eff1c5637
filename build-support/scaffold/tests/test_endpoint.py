"""An endpoint is added to a new service and to the ones that exist."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from scaffold import new_endpoint
from scaffold.changes import Refused
from scaffold.endpoint import with_import
from scaffold.tests.tree import copied, texts
from services.declared import ROUTED, read


@dataclass(frozen=True)
class Grown:
    """A copy in which each service has a new endpoint, and what the endpoints' tests printed."""

    root: Path
    changed: dict[str, set[str]]
    printed: str


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return copied(tmp_path / "repository", "backend", "services.json", "pyproject.toml")


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Grown:
    """Add an endpoint to every service, and run their tests in one process."""
    root = copied(
        tmp_path_factory.mktemp("grown") / "repository",
        "backend",
        "services.json",
        "pyproject.toml",
    )
    changed, before = {}, texts(root)
    for service in ROUTED:
        new_endpoint.main([service, "open_invoices"], root)
        after = texts(root)
        changed[service] = {path for path, text in after.items() if before.get(path) != text}
        before = after
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", *map(_test_of, ROUTED)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root / "backend"), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
    )
    return Grown(root, changed, done.stdout)


def _test_of(service: str) -> str:
    return f"backend/{service}/tests/test_open_invoices.py"


@pytest.mark.parametrize("service", ROUTED)
def test_it_answers_and_its_test_passes(grown: Grown, service: str) -> None:
    assert grown.changed[service] == {
        f"backend/{service}/models.py",
        f"backend/{service}/routes.py",
        "services.json",
        _test_of(service),
    }
    assert "GET /open-invoices" in read(grown.root / "services.json")[service].access["read"]
    outcomes = re.findall(
        rf"^{re.escape(_test_of(service))}::\w+ (\w+)", grown.printed, re.MULTILINE
    )
    assert outcomes == ["PASSED"], grown.printed


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["rotation", "invoices"], "there is no service rotation behind the gateway"),
        (["chat", "Invoices"], "is no name of an endpoint"),
        (["chat", "open-invoices"], "is no name of an endpoint"),
        (["chat", "i" * 33], "is no name of an endpoint"),
        (["api", "test"], "has a path /test already"),
        (["api", "ask_request"], "has a AskRequest already"),
    ],
)
def test_a_bad_or_taken_name_is_refused_and_nothing_changes(
    root: Path, arguments: list[str], complaint: str
) -> None:
    before = texts(root)
    with pytest.raises(Refused, match=complaint):
        new_endpoint.main(arguments, root)
    assert texts(root) == before


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from a.models import C\n", "from a.models import B, C\n"),
        ("from a.models import B, C\n", "from a.models import B, C\n"),
        ("from a.models import (\n    A,\n    c,\n)\n", "from a.models import A, B, c\n"),
        (
            f"from a.models import {'C' * 50}, {'D' * 40}\n",
            f"from a.models import (\n    B,\n    {'C' * 50},\n    {'D' * 40},\n)\n",
        ),
    ],
)
def test_a_name_is_imported_beside_the_others(before: str, after: str) -> None:
    assert with_import(f'"""Doc."""\n\n{before}\nx = 1\n', "f", "a.models", "B") == (
        f'"""Doc."""\n\n{after}\nx = 1\n'
    )


def test_a_file_without_the_import_is_refused() -> None:
    with pytest.raises(Refused, match=r"routes\.py has no line `from a.models import"):
        with_import("import os\n", "routes.py", "a.models", "B")
