"""Adds a service to the repository, and removes one."""

import importlib.util
import keyword
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from scaffold import places, templates
from scaffold.changes import Changes, Refused, git
from services.declared import NAME_PATTERN, DeclarationError, Service, read

# A key in an environment's service_api_keys.
_KEY: Final = re.compile(r"^  (\w+) += \{", re.MULTILINE)


def addition(root: Path, name: str, calls: Sequence[str]) -> Changes:
    """Return the changes that add a function.

    Args:
        root: The repository.
        name: The service's name.
        calls: The services that it calls.

    Raises:
        Refused: The name is bad or taken, or a called service does not exist.
    """
    declared = _declared(root)
    _check_name(root, name, declared)
    for called in calls:
        if called not in declared or not declared[called].route:
            routed = ", ".join(each for each, service in declared.items() if service.route)
            raise Refused(f"--calls: there is no service {called}; the services are {routed}")
    changes = Changes(root)
    for path, text in templates.new_files(name, list(calls)).items():
        changes.create(path, text)
    changes.edit(places.DECLARATION, places.declare(name, calls))
    changes.edit(places.PACKAGES, places.list_package(name))
    changes.edit(places.MODULES, places.map_module(name))
    _check_declaration(changes)
    return changes


def removal(root: Path, name: str, *, discard: bool = False) -> Changes:
    """Return the changes that remove a function.

    Args:
        root: The repository.
        name: The service's name.
        discard: Whether to remove files that git does not have.

    Raises:
        Refused: There is no such function, a service calls it, or its files would be lost.
    """
    declared = _declared(root)
    if name not in declared:
        raise Refused(f"there is no service {name}; the services are {', '.join(declared)}")
    if declared[name].kind != "function":
        raise Refused(f"{name} is a {declared[name].kind}: remove it by hand")
    callers = [caller for caller, service in declared.items() if name in service.calls]
    if callers:
        raise Refused(f"{', '.join(callers)} calls {name}: remove these calls first")
    if not discard:
        _check_kept(root, name, declared[name])
    changes = Changes(root)
    for path in _paths(root, name):
        changes.remove(path)
    changes.edit(places.DECLARATION, places.undeclare(name))
    changes.edit(places.PACKAGES, places.unlist_package(name))
    changes.edit(places.MODULES, places.unmap_module(name))
    _check_declaration(changes)
    return changes


def _paths(root: Path, name: str) -> list[str]:
    """Return the folder and the files of a service."""
    paths = [f"backend/{name}", f"terraform/lambda-{name}.tf"]
    table = templates.TABLE.format(name=name)
    # `write_tables` deletes it, when the other tables have the service.
    return [*paths, table] if (root / table).exists() else paths


def _declared(root: Path) -> dict[str, Service]:
    try:
        return read(root / places.DECLARATION)
    except DeclarationError as error:
        raise Refused(str(error)) from None


def _check_name(root: Path, name: str, declared: dict[str, Service]) -> None:
    if not re.fullmatch(NAME_PATTERN, name):
        raise Refused(
            f"{name!r} is no name of a service: write 2 to 16 lower-case letters and digits, "
            "beginning with a letter, such as billing"
        )
    if name in declared:
        raise Refused(f"there is a service {name} already")
    for path in (f"backend/{name}", f"build-support/{name}", f"terraform/lambda-{name}.tf"):
        if (root / path).exists():
            raise Refused(f"{path} exists already: choose another name")
    if not name.isidentifier() or _is_module(name):
        raise Refused(f"Python has a module or a word {name} already: choose another name")
    for file in sorted((root / "terraform/environments").glob("*.tfvars")):
        if name in _KEY.findall(file.read_text(encoding="utf-8")):
            raise Refused(f"{file.name} has an API key {name}: choose another name")


def _is_module(name: str) -> bool:
    return keyword.iskeyword(name) or importlib.util.find_spec(name) is not None


def _check_declaration(changes: Changes) -> None:
    """Check services.json as it would be after the changes."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / places.DECLARATION
        file.write_text(changes.read(places.DECLARATION), encoding="utf-8")
        try:
            read(file)
        except DeclarationError as error:
            raise Refused(str(error)) from None


def _check_kept(root: Path, name: str, service: Service) -> None:
    """Refuse to remove files that neither git nor `new_service` can bring back."""
    generated = templates.new_files(name, list(service.calls))
    listed = git(
        root, "ls-files", "--others", "--modified", "--exclude-standard", "-z", "--",
        *_paths(root, name),
    )  # fmt: skip
    lost = [
        path
        for path in listed.split("\0")
        if path and (root / path).read_text(encoding="utf-8") != generated.get(path)
    ]
    if lost:
        raise Refused(
            f"git does not have the present text of {', '.join(lost)}: commit it, or pass --discard"
        )
