"""Which changes break a program that was written for the document before."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from contract.changes import refusals

type Document = dict[str, Any]
type Change = Callable[[Document], object]

_BEFORE: Document = {
    "info": {"version": "1.4.0"},
    "paths": {
        "/things/{id}": {
            "post": {
                "operationId": "change_thing",
                "parameters": [
                    {"in": "path", "name": "id", "required": True, "schema": {"type": "string"}},
                    {
                        "in": "query",
                        "name": "limit",
                        "schema": {"type": "integer", "maximum": 10},
                    },
                ],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/In"}}
                    },
                },
                "responses": {
                    "200": {
                        "headers": {"Location": {}},
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Out"}}
                        },
                    },
                    "404": {"content": {"application/json": {"schema": {"type": "object"}}}},
                },
            }
        }
    },
    "components": {
        "schemas": {
            "In": {
                "type": "object",
                "additionalProperties": False,
                "required": ["text"],
                "properties": {
                    "text": {"type": "string", "minLength": 1, "maxLength": 100},
                    "kind": {"enum": ["a", "b"], "type": "string"},
                    "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "more": {"type": "object", "additionalProperties": {"type": "number"}},
                },
            },
            "Out": {
                "type": "object",
                "required": ["state", "parts"],
                "properties": {
                    "state": {"enum": ["open", "done"], "type": "string"},
                    "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Part"}},
                    "score": {"type": "number"},
                },
            },
            "Part": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"type": "string"}},
            },
        }
    },
}


def _operation(document: Document) -> Document:
    operation: Document = document["paths"]["/things/{id}"]["post"]
    return operation


def _in(document: Document) -> Document:
    schema: Document = document["components"]["schemas"]["In"]
    return schema


def _out(document: Document) -> Document:
    schema: Document = document["components"]["schemas"]["Out"]
    return schema


_NEW: Document = {"in": "query", "name": "new", "schema": {"type": "string"}}

_BREAKING: dict[str, tuple[Change, str]] = {
    "operation": (lambda d: d["paths"].clear(), "POST /things/{id} is gone"),
    "name": (lambda d: _operation(d).update(operationId="other"), "has another name, other"),
    "parameter": (lambda d: _operation(d)["parameters"].pop(), "the parameter limit is gone"),
    "limit": (
        lambda d: _operation(d)["parameters"][1]["schema"].update(maximum=5),
        "the parameter limit has the maximum 5 now",
    ),
    "new parameter": (
        lambda d: _operation(d)["parameters"].append({**_NEW, "required": True}),
        "the parameter new is required now",
    ),
    "body": (lambda d: _operation(d).pop("requestBody"), "the body is gone"),
    "answer": (
        lambda d: _operation(d)["responses"].update({"202": _operation(d)["responses"].pop("200")}),
        "the answer 200 is gone",
    ),
    "header": (
        lambda d: _operation(d)["responses"]["200"].pop("headers"),
        "the header Location of 200 is gone",
    ),
    "required field": (lambda d: _in(d)["required"].append("kind"), "kind is required now"),
    "field": (lambda d: _in(d)["properties"].pop("note"), "note is not taken any more"),
    "value": (lambda d: _in(d)["properties"]["kind"]["enum"].pop(), "kind does not take b"),
    "null": (
        lambda d: _in(d)["properties"].update(note={"type": "string"}),
        "the body: note is string now, not null",
    ),
    "length": (lambda d: _in(d)["properties"]["text"].update(minLength=2), "has the minLength 2"),
    "pattern": (lambda d: _in(d)["properties"]["text"].update(pattern="^a"), "must match ^a now"),
    "type": (
        lambda d: _in(d)["properties"].update(text={"type": "integer"}),
        "text is integer now, not string",
    ),
    "item": (
        lambda d: _in(d)["properties"]["tags"].update(items={"type": "integer"}),
        "tags: items is integer now",
    ),
    "narrower number": (
        lambda d: _in(d)["properties"]["more"].update(additionalProperties={"type": "integer"}),
        "more: additionalProperties is integer now",
    ),
    "answer's field": (lambda d: _out(d)["properties"].pop("score"), "score is gone"),
    "answer's promise": (lambda d: _out(d)["required"].remove("state"), "state may be missing"),
    "answer's value": (
        lambda d: _out(d)["properties"]["state"]["enum"].append("lost"),
        "state can be lost now",
    ),
    "answer's null": (
        lambda d: _out(d)["properties"].update(
            score={"anyOf": [{"type": "number"}, {"type": "null"}]}
        ),
        "score is null now, not number",
    ),
    "answer's part": (
        lambda d: d["components"]["schemas"]["Part"].update(required=[]),
        "parts: items: name may be missing now",
    ),
}

_HARMLESS: dict[str, Change] = {
    "new operation": lambda d: d["paths"].update({"/more": {"get": {"operationId": "more"}}}),
    "new parameter": lambda d: _operation(d)["parameters"].append(_NEW),
    "wider limit": lambda d: _operation(d)["parameters"][1]["schema"].update(maximum=20),
    "optional now": lambda d: _in(d)["required"].clear(),
    "new field": lambda d: _in(d)["properties"].update(new={"type": "string"}),
    "new value": lambda d: _in(d)["properties"]["kind"]["enum"].append("c"),
    "null taken": lambda d: _in(d)["properties"]["tags"].update(
        anyOf=[_in(d)["properties"]["tags"].copy(), {"type": "null"}]
    ),
    "given field": lambda d: _out(d)["properties"].update(new={"type": "string"}),
    "promised now": lambda d: _out(d)["required"].append("score"),
    "fewer values": lambda d: _out(d)["properties"]["state"]["enum"].pop(),
    "whole numbers": lambda d: _out(d)["properties"]["score"].update(type="integer"),
    "another error": lambda d: _operation(d)["responses"].pop("404"),
}


@pytest.mark.parametrize(("change", "expected"), _BREAKING.values(), ids=_BREAKING)
def test_a_breaking_change_is_found(change: Change, expected: str) -> None:
    after = copy.deepcopy(_BEFORE)
    change(after)
    found = refusals(_BEFORE, after)
    assert len(found) == 1, found
    assert expected in found[0]
    after["info"]["version"] = "2.0.0"
    assert refusals(_BEFORE, after) == []


@pytest.mark.parametrize("change", _HARMLESS.values(), ids=_HARMLESS)
def test_a_harmless_change_is_none(change: Change) -> None:
    after = copy.deepcopy(_BEFORE)
    change(after)
    assert refusals(_BEFORE, after) == []
