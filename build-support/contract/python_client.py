"""Writes the client's operations: one method for each operation of the document."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from contract.document import REPOSITORY, Document
from contract.python_types import Types, docstring, literal
from shared.description.document import operations

FOLDER: Final = REPOSITORY / "backend" / "client" / "api"

_JSON: Final = "application/json"
_EVENTS: Final = "text/event-stream"
_HEADER: Final = '''"""The operations of the API. Generated from docs/openapi.json: do not edit."""

from collections.abc import Iterator
from typing import Any, Final, Literal

from client.api import models
from client.events import Event
from client.transport import Transport

VERSION: Final = "{version}"
"""The version of the API that the client was generated for."""


class Operations:
    """The API's operations. Each raises an `AdvisorError` if it fails.

    Args:
        transport: Sends the requests.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
'''


def client_sources(document: Document) -> dict[Path, str]:
    """Return the source of each generated module of the client."""
    types = Types(document)
    header = _HEADER.format(version=document["info"]["version"])
    methods = [
        "\n".join(_method(types, method, path, operation))
        for method, path, operation in operations(document)
    ]
    return {
        FOLDER / "models.py": formatted(types.source()),
        FOLDER / "operations.py": formatted("\n\n".join([header.rstrip(), *methods]) + "\n"),
    }


def formatted(source: str) -> str:
    """Return Python source in the format of the repository."""
    ruff = [sys.executable, "-m", "ruff"]
    options = ["--isolated", "--line-length", "100", "--stdin-filename", "generated.py", "-"]
    unused = ["check", "--select", "F401", "--fix", "--quiet"]
    for command in ([*ruff, *unused, *options], [*ruff, "format", "--quiet", *options]):
        source = subprocess.run(  # noqa: S603 - our own arguments
            command, input=source, capture_output=True, text=True, check=True, timeout=60
        ).stdout
    return source


def _method(types: Types, method: str, path: str, operation: dict[str, Any]) -> Iterator[str]:
    parameters = operation.get("parameters", [])
    in_path = [one for one in parameters if one["in"] == "path"]
    named = [one for one in parameters if one["in"] in {"query", "header"}]
    body = operation.get("requestBody", {}).get("content", {}).get(_JSON)
    arguments = ["self", *(f"{_name(one)}: {_qualified(types, one['schema'])}" for one in in_path)]
    if body:
        arguments.append(f"body: {_qualified(types, body['schema'])}")
    if named:
        arguments.append("*")
        arguments += [_argument(types, one) for one in named]
    answer, call = _answer(types, operation)
    yield f"    def {operation['operationId']}({', '.join(arguments)}) -> {answer}:"
    text = operation.get("description") or f"{operation['summary']}."
    yield from docstring(text, " " * 8)
    yield f"        {call}"
    template = re.sub(r"\{(\w+)\}", "{}", path)
    values = "".join(f", {_name(one)}" for one in in_path)
    place = f"self._transport.path({literal(template)}{values})" if in_path else literal(path)
    yield f"            {literal(method)},"
    yield f"            {place},"
    if answer not in {"None", "Iterator[Event]"}:
        yield f"            answer={answer.removesuffix(' | None')},"
    if body:
        yield "            body=body,"
    for place, argument in (("query", "query"), ("header", "headers")):
        found = [one for one in named if one["in"] == place]
        if found:
            pairs = ", ".join(f"{literal(one['name'])}: {_name(one)}" for one in found)
            yield f"            {argument}={{{pairs}}},"
    yield "        )"


def _answer(types: Types, operation: dict[str, Any]) -> tuple[str, str]:
    """Return the type of an operation's answer, and the beginning of its call."""
    contents = [
        answer.get("content", {})
        for status, answer in operation["responses"].items()
        if status.startswith("2")
    ]
    if any(_EVENTS in content for content in contents):
        return "Iterator[Event]", "return self._transport.events("
    found = [content[_JSON]["schema"] for content in contents if _JSON in content]
    if not found:
        return "None", "self._transport.send("
    answer = _qualified(types, found[0])
    if len(found) < len(contents):
        return f"{answer} | None", "return self._transport.call_if_any("
    return answer, "return self._transport.call("


def _argument(types: Types, parameter: dict[str, Any]) -> str:
    annotation = _qualified(types, parameter["schema"])
    if parameter.get("required"):
        return f"{_name(parameter)}: {annotation}"
    default = literal(parameter["schema"].get("default"))
    if default == "None" and "None" not in annotation.split(" | "):
        annotation += " | None"
    return f"{_name(parameter)}: {annotation} = {default}"


def _qualified(types: Types, schema: dict[str, Any]) -> str:
    annotation = types.annotation(schema)
    return f"models.{annotation}" if "$ref" in schema and annotation.isidentifier() else annotation


def _name(parameter: dict[str, Any]) -> str:
    return re.sub(r"\W", "_", parameter["name"]).lower()
