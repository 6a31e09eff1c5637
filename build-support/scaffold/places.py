"""The three existing files that name a new service, and the lines in them."""

import json
import re
from collections.abc import Callable, Iterable
from typing import Final

from scaffold.changes import Refused
from scaffold.templates import filled

DECLARATION: Final = "services.json"
PACKAGES: Final = "build-support/macros.py"
MODULES: Final = "terraform/services.tf"

type Edit = Callable[[str], str]

_ENTRY: Final = r'  "{}": \{{\n(?:    .*\n)+  \}}'
_PACKAGE_LINES: Final = re.compile(r"(?<=\nFUNCTION_ZIPS = \(\n)(?:    .+\n)+(?=\)\n)")
_MODULE_LINES: Final = re.compile(
    r"(?<=  service_functions = merge\(\n    \{\n)(?:      \w+ += module\.\w+\n)+(?=    \},\n)"
)


def declare(name: str, calls: Iterable[str]) -> Edit:
    """Add the entry of a service to services.json."""
    called = ", ".join(f'"{each}": []' for each in calls)

    def edit(text: str) -> str:
        end = text.rstrip()
        if not end.endswith("\n  }\n}"):
            raise Refused(f"{DECLARATION} does not end with an entry and a brace: format it so")
        entry = filled("entry.json", name=name, called=called).rstrip("\n")
        return end.removesuffix("\n}") + f",\n{entry}\n}}\n"

    return edit


def undeclare(name: str) -> Edit:
    """Remove the entry of a service from services.json."""

    def edit(text: str) -> str:
        entry = _ENTRY.format(name)
        changed = re.sub(rf"{entry},\n|,\n{entry}(?=\n\}})", "", text, count=1)
        wanted = json.loads(text)
        del wanted[name]
        try:
            same = json.loads(changed) == wanted
        except ValueError:
            same = False
        if not same:
            raise Refused(f"{DECLARATION}: remove {name} by hand, its entry is formatted otherwise")
        return changed

    return edit


def allow(name: str, operation: str) -> Edit:
    """Add an operation to the scope `read` of a service in services.json."""

    def edit(text: str) -> str:
        wanted = json.loads(text)
        wanted[name]["access"].setdefault("read", []).insert(0, operation)
        entry = re.search(_ENTRY.format(name), text)
        changed = text
        if entry is not None:
            added, count = re.subn(r'("read": \[\s*)', rf'\g<1>"{operation}", ', entry[0], count=1)
            if not count:
                added = entry[0].replace(
                    '"access": {\n', f'"access": {{\n      "read": ["{operation}"],\n', 1
                )
            changed = text[: entry.start()] + added + text[entry.end() :]
        if json.loads(changed) != wanted:
            raise Refused(f"{DECLARATION}: add {operation} to the access of {name} by hand")
        return changed

    return edit


def list_package(name: str) -> Edit:
    """Add the package of a service to FUNCTION_ZIPS."""
    line = _package_line(name)
    return _lines(PACKAGES, _PACKAGE_LINES, lambda lines: sorted([*lines, line]))


def unlist_package(name: str) -> Edit:
    """Remove the package of a service from FUNCTION_ZIPS."""
    line = _package_line(name)
    return _lines(PACKAGES, _PACKAGE_LINES, lambda lines: [each for each in lines if each != line])


def map_module(name: str) -> Edit:
    """Add the module of a service to Terraform's service_functions."""
    return _lines(MODULES, _MODULE_LINES, lambda lines: _aligned({*_names(lines), name}))


def unmap_module(name: str) -> Edit:
    """Remove the module of a service from Terraform's service_functions."""
    return _lines(MODULES, _MODULE_LINES, lambda lines: _aligned({*_names(lines)} - {name}))


def _package_line(name: str) -> str:
    return f'    "backend/{name}:zip",\n'


def _names(lines: Iterable[str]) -> list[str]:
    return [line.split()[0] for line in lines]


def _aligned(names: Iterable[str]) -> list[str]:
    """Return the lines of the map as `terraform fmt` aligns them."""
    ordered = sorted(names)
    width = max(len(name) for name in ordered)
    return [f"      {name:{width}} = module.{name}\n" for name in ordered]


def _lines(path: str, block: re.Pattern[str], change: Callable[[list[str]], list[str]]) -> Edit:
    def edit(text: str) -> str:
        found = block.search(text)
        if found is None:
            raise Refused(f"{path} does not have the list of services as it was written")
        lines = change(found[0].splitlines(keepends=True))
        return text[: found.start()] + "".join(lines) + text[found.end() :]

    return edit
