"""Each check of the layout finds the mistake that a test makes in a correct repository."""

from pathlib import Path

import pytest

from boundaries.imports import import_graph
from boundaries.layout import crowded, misplaced_tests, undescribed_packages, wrong_directions
from boundaries.tests.trees import BUILD, write


def _wrong_directions(repository: Path) -> list[str]:
    return wrong_directions(repository, "backend/shared", import_graph(repository))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A correct package: settings on the lowest level, a subpackage above, an app on top."""
    return write(
        tmp_path,
        {
            "backend/api/__init__.py": '"""The front door."""',
            "backend/api/routes.py": "from shared.app import App",
            "backend/chat/__init__.py": '"""Answers questions."""',
            "backend/shared/BUILD": BUILD,
            "backend/shared/__init__.py": '"""The library."""\nfrom shared.app import App',
            "backend/shared/settings.py": "import os",
            "backend/shared/request/__init__.py": '"""What a request carries."""',
            "backend/shared/request/deadline.py": "from shared import settings",
            "backend/shared/request/tests/test_deadline.py": "from shared.app import App",
            "backend/shared/app.py": "from shared.request.deadline import Deadline",
            "backend/shared/conftest.py": "from shared.app import App",
            "backend/shared/tests/test_app.py": "from shared.app import App",
        },
    )


def test_a_package_in_order_has_no_problem(repository: Path) -> None:
    assert _wrong_directions(repository) == []
    assert crowded(repository, "backend/shared") == []
    assert undescribed_packages(repository) == []
    assert misplaced_tests(repository) == []


def test_an_import_from_a_level_above_is_found(repository: Path) -> None:
    write(repository, {"backend/shared/request/deadline.py": "\nfrom shared.app import App"})
    [problem] = _wrong_directions(repository)
    assert problem.startswith(
        "backend/shared/request/deadline.py:2 imports backend/shared/app.py, "
    )


def test_an_import_from_another_package_is_found_unless_the_build_file_allows_it(
    repository: Path,
) -> None:
    write(repository, {"backend/shared/app.py": "import api.routes\nimport chat"})
    [problem] = _wrong_directions(repository)
    assert "app.py:2 imports backend/chat/__init__.py" in problem


def test_a_module_that_no_level_covers_is_found(repository: Path) -> None:
    write(repository, {"backend/shared/stray.py": ""})
    assert _wrong_directions(repository) == [
        "backend/shared/stray.py: add it to a level of _LEVELS in backend/shared/BUILD"
    ]


def test_levels_that_cannot_be_read_are_an_error(repository: Path) -> None:
    write(repository, {"backend/shared/BUILD": "python_sources()"})
    with pytest.raises(ValueError, match="_LEVELS"):
        _wrong_directions(repository)


def test_a_seventeenth_module_at_the_top_is_found(repository: Path) -> None:
    top = "backend/shared"
    missing = 16 - len(list((repository / top).glob("*.py")))
    write(repository, {f"{top}/more_{number}.py": "" for number in range(missing)})
    assert crowded(repository, top) == []
    write(repository, {f"{top}/one_too_many.py": ""})
    [problem] = crowded(repository, top)
    assert "17 modules" in problem


@pytest.mark.parametrize(
    "content",
    ["", '"""No full stop"""', '"""One sentence. Another."""', '"""Over\ntwo lines."""'],
)
def test_a_room_whose_docstring_is_not_one_sentence_is_found(
    repository: Path, content: str
) -> None:
    write(repository, {"backend/shared/request/__init__.py": content})
    [problem] = undescribed_packages(repository)
    assert problem.startswith("backend/shared/request/__init__.py: ")


def test_a_room_without_an_init_file_is_found(repository: Path) -> None:
    write(repository, {"backend/local/net/sockets.py": ""})
    assert undescribed_packages(repository) == [
        "backend/local/net/__init__.py: say in one sentence what the package is for"
    ]


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("backend/shared/test_app.py", "move it to the folder tests/ of its package"),
        ("backend/shared/tests/test_deadline.py", "move it to backend/shared/request/tests"),
        ("backend/tests/test_all.py", "backend is not a package"),
    ],
)
def test_a_test_outside_its_room_is_found(repository: Path, path: str, problem: str) -> None:
    write(repository, {path: ""})
    found = misplaced_tests(repository)
    assert len(found) == 1
    assert found[0].startswith(f"{path}: {problem}")
