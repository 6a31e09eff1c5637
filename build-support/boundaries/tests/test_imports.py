"""An import cycle is found wherever in a module its imports are."""

from pathlib import Path

import pytest

from boundaries.imports import cycles, describe, import_graph
from boundaries.tests.trees import write

_FUNCTION = "def call():\n    {}\n"
_TYPE_CHECKING = "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    {}\n"


@pytest.mark.parametrize("place", ["{}", _FUNCTION, _TYPE_CHECKING])
@pytest.mark.parametrize(
    "statement",
    [
        "import shop.till",
        "from shop.till import Till",
        "from shop import till",
        "from . import till",
        "from .till import Till",
        "from shop.till import *",
    ],
)
def test_a_cycle_is_found(tmp_path: Path, place: str, statement: str) -> None:
    write(
        tmp_path,
        {
            "backend/shop/__init__.py": "",
            "backend/shop/goods.py": place.format(statement),
            "backend/shop/till.py": "import json\nfrom shop.goods import Goods\n",
        },
    )
    [cycle] = cycles(import_graph(tmp_path))
    assert {*cycle} == {"backend/shop/goods.py", "backend/shop/till.py"}


def test_a_cycle_is_printed_as_a_chain_with_lines(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "backend/a.py": "import json\nimport b\n",
            "backend/b.py": "from c import C\n",
            "backend/c.py": "def late():\n    import a\n",
            "backend/d.py": "import a\n",
        },
    )
    graph = import_graph(tmp_path)
    [cycle] = cycles(graph)
    lines = describe(cycle, graph).splitlines()
    assert lines[0] == "import cycle:"
    # graphlib chooses where a cycle begins.
    assert sorted(lines[1:]) == [
        "  backend/a.py:2 imports backend/b.py",
        "  backend/b.py:1 imports backend/c.py",
        "  backend/c.py:2 imports backend/a.py",
    ]
    assert cycle[0] == cycle[-1]


def test_each_of_two_cycles_is_found(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "backend/a.py": "import b",
            "backend/b.py": "import a",
            "terraform/tests/c.py": "from tests import d",
            "terraform/tests/d.py": "from tests.c import C",
        },
    )
    found = cycles(import_graph(tmp_path))
    assert [{*cycle} for cycle in found] == [
        {"backend/a.py", "backend/b.py"},
        {"terraform/tests/c.py", "terraform/tests/d.py"},
    ]


def test_a_package_and_its_module_that_import_each_other_are_a_cycle(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "backend/shop/__init__.py": "from shop.till import Till",
            "backend/shop/till.py": "from shop import Goods",
        },
    )
    [cycle] = cycles(import_graph(tmp_path))
    assert {*cycle} == {"backend/shop/__init__.py", "backend/shop/till.py"}


def test_a_package_may_import_its_modules(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "backend/shop/__init__.py": "from shop import till\nfrom shop.goods import Goods",
            "backend/shop/till.py": "from shop.goods import Goods",
            "backend/shop/goods.py": "import logging",
            "backend/shop/logging.py": "import logging",  # the standard library's
        },
    )
    assert cycles(import_graph(tmp_path)) == []


def test_files_of_the_same_module_name_are_all_read(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "build-support/packer/pack.py": "",
            "build-support/packer/tests/test_one.py": "import pack",
            "terraform/tests/test_one.py": "import deploy.plan",
            "build-support/deploy/plan.py": "",
        },
    )
    graph = import_graph(tmp_path)
    assert graph["build-support/packer/tests/test_one.py"] == {"build-support/packer/pack.py": 1}
    assert graph["terraform/tests/test_one.py"] == {"build-support/deploy/plan.py": 1}
