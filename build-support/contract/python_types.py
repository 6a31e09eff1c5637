"""Translates schemas of the document to Python types, and writes the client's models.

The generators that exist were tried: openapi-python-client writes some 5,000 lines of its own
serialisation for these 30 schemas. Pydantic does that work, so the models are only declarations.
"""

import json
import keyword
import re
import textwrap
from collections.abc import Iterator
from typing import Any, Final

from contract.document import Document

_SCALARS: Final = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "null": "None",
}
_WIDTH: Final = 96

_HEADER: Final = '''"""The bodies of the API. Generated from docs/openapi.json: do not edit."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, JsonValue


class Sent(BaseModel):
    """What a program sends. A field that is not set is not sent."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Given(BaseModel):
    """What the API answers. Newer releases may add fields."""

    model_config = ConfigDict(extra="ignore", frozen=True)
'''


class Types:
    """The Python types of a document's schemas."""

    def __init__(self, document: Document) -> None:
        self._schemas: dict[str, Any] = document["components"]["schemas"]
        self._given = _reachable(self._schemas, _answers(document))

    def annotation(self, schema: dict[str, Any]) -> str:
        """Return the type of a schema's values as Python source."""
        if "$ref" in schema:
            return self.name(schema["$ref"].rpartition("/")[2])
        if "anyOf" in schema:
            return " | ".join(dict.fromkeys(self.annotation(one) for one in schema["anyOf"]))
        if "enum" in schema or "const" in schema:
            values = schema.get("enum", [schema.get("const")])
            return f"Literal[{', '.join(map(literal, values))}]"
        return self._plain(schema)

    def _plain(self, schema: dict[str, Any]) -> str:
        match schema.get("type"):
            case "string" if schema.get("format") == "date-time":
                return "datetime"
            case "array":
                return f"list[{self.annotation(schema.get('items', {}))}]"
            case "object":
                extra = schema.get("additionalProperties")
                values = self.annotation(extra) if isinstance(extra, dict) else "Any"
                return f"dict[str, {values}]"
            case scalar:
                return "Any" if scalar is None else _SCALARS[scalar]

    def name(self, schema: str) -> str:
        """Return the name of a schema's class; a schema of any value has none."""
        if schema == "JsonValue":
            return schema
        if "properties" not in self._schemas[schema]:
            return self.annotation(self._schemas[schema])
        return re.sub(r"\W", "", schema)

    def source(self) -> str:
        """Return the source of the module with the models."""
        classes = [
            self._model(name, self._schemas[name])
            for name in _sorted(self._schemas)
            if "properties" in self._schemas[name]
        ]
        return "\n\n".join([_HEADER, *classes])

    def _model(self, schema_name: str, schema: dict[str, Any]) -> str:
        base = "Given" if schema_name in self._given else "Sent"
        lines = [f"class {self.name(schema_name)}({base}):"]
        lines += docstring(schema.get("description", "A body of the API."), "    ")
        required = schema.get("required", [])
        for field, about in schema["properties"].items():
            lines += ["", *self._field(field, about, is_required=field in required)]
        return "\n".join(lines) + "\n"

    def _field(self, name: str, about: dict[str, Any], *, is_required: bool) -> Iterator[str]:
        if keyword.iskeyword(name) or not name.isidentifier():
            raise ValueError(f"the field {name} is not a Python name")
        annotation = self.annotation(about)
        if is_required:
            yield f"    {name}: {annotation}"
        elif "default" in about:
            yield f"    {name}: {annotation} = {self._default(about)}"
        else:
            if "None" not in annotation.split(" | "):
                annotation += " | None"
            yield f"    {name}: {annotation} = None"
        if "description" in about:
            yield from docstring(about["description"], "    ")

    def _default(self, about: dict[str, Any]) -> str:
        value = about["default"]
        if "$ref" in about and isinstance(value, dict):
            fields = ", ".join(f"{name}={literal(one)}" for name, one in value.items())
            return f"{self.annotation(about)}({fields})"
        return literal(value)


def literal(value: Any) -> str:
    """Return a JSON value as Python source."""
    return json.dumps(value) if isinstance(value, str) else repr(value)


def docstring(text: str, indent: str) -> list[str]:
    """Return the lines of a docstring, wrapped."""
    text = " ".join(text.replace("\\", "\\\\").split())
    if len(indent) + len(text) + 6 <= _WIDTH:
        return [f'{indent}"""{text}"""']
    first, *rest = textwrap.wrap(text, _WIDTH - len(indent) - 3)
    return [f'{indent}"""{first}', *(f"{indent}{line}" for line in rest), f'{indent}"""']


def _answers(document: Document) -> set[str]:
    """Return the names of the schemas that answers name directly."""
    answers = [
        operation["responses"] for each in document["paths"].values() for operation in each.values()
    ]
    return _names([*answers, document["components"].get("responses", {})])


def _names(value: Any) -> set[str]:
    """Return the names of all schemas that a part of the document refers to."""
    if isinstance(value, list):
        return set().union(*map(_names, value))
    if not isinstance(value, dict):
        return set()
    found = set().union(*map(_names, value.values()))
    reference = value.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/components/schemas/"):
        found.add(reference.rpartition("/")[2])
    return found


def _reachable(schemas: dict[str, Any], names: set[str]) -> set[str]:
    found: set[str] = set()
    while names:
        found |= names
        names = _names([schemas[name] for name in names]) - found
    return found


def _sorted(schemas: dict[str, Any]) -> list[str]:
    """Return the names so that each schema comes after those that it refers to."""
    done: list[str] = []

    def add(name: str) -> None:
        if name not in done:
            for needed in sorted(_names(schemas[name]) - {name}):
                add(needed)
            done.append(name)

    for name in sorted(schemas):
        add(name)
    return done
