"""Adds an endpoint to a service."""

import ast
import re
from pathlib import Path
from typing import Final

from scaffold import places
from scaffold.changes import Changes, Refused
from scaffold.templates import filled
from services.declared import DeclarationError, read

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_LONGEST: Final = 32
_WIDTH: Final = 100


def addition(root: Path, service: str, name: str) -> Changes:
    """Return the changes that add `GET /NAME` to a service: its model, route, scope and test.

    Raises:
        Refused: The name is bad or taken, or the service has no routes.
    """
    try:
        declared = read(root / places.DECLARATION)
    except DeclarationError as error:
        raise Refused(str(error)) from None
    if service not in declared or not declared[service].route:
        routed = ", ".join(each for each, other in declared.items() if other.route)
        raise Refused(f"there is no service {service} behind the gateway; there are {routed}")
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise Refused(
            f"{name!r} is no name of an endpoint: write lower-case words, joined by _, such as "
            f"open_invoices, {_LONGEST} characters at most"
        )
    model = "".join(word.capitalize() for word in name.split("_"))
    values = {
        "service": service,
        "name": name,
        "path": name.replace("_", "-"),
        "words": name.replace("_", " "),
        "model": model,
    }
    models, routes = f"backend/{service}/models.py", f"backend/{service}/routes.py"
    changes = Changes(root)
    if re.search(rf"\b{model}\b", changes.read(models) + changes.read(routes)):
        raise Refused(f"{service} has a {model} already: choose another name")
    if re.search(rf'"/{values["path"]}[/"]', changes.read(routes)):
        raise Refused(f"{routes} has a path /{values['path']} already: choose another name")
    changes.edit(models, lambda text: with_import(text, models, "pydantic", "BaseModel"))
    changes.edit(models, lambda text: text.rstrip("\n") + "\n" + filled("model.py", **values))
    changes.edit(routes, lambda text: with_import(text, routes, f"{service}.models", model))
    changes.edit(routes, lambda text: text.rstrip("\n") + "\n" + filled("route.py", **values))
    changes.edit(places.DECLARATION, places.allow(service, f"GET /{values['path']}"))
    changes.create(f"backend/{service}/tests/test_{name}.py", filled("test_endpoint.py", **values))
    return changes


def with_import(text: str, path: str, module: str, name: str) -> str:
    """Add a name to the statement `from MODULE import …` of a Python file.

    Raises:
        Refused: The file has no such statement.
    """
    for node in ast.parse(text).body:
        if isinstance(node, ast.ImportFrom) and node.module == module and node.end_lineno:
            names = sorted({*(alias.name for alias in node.names), name}, key=_order)
            line = f"from {module} import {', '.join(names)}\n"
            if len(line) > _WIDTH + 1:
                inner = "".join(f"    {each},\n" for each in names)
                line = f"from {module} import (\n{inner})\n"
            lines = text.splitlines(keepends=True)
            lines[node.lineno - 1 : node.end_lineno] = [line]
            return "".join(lines)
    raise Refused(f"{path} has no line `from {module} import …`, to which {name} could be added")


def _order(name: str) -> tuple[int, str]:
    """Return the key by which Ruff sorts imported names: constants, classes, functions."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)
