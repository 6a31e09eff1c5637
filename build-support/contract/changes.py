"""Finds the changes between two documents that break programs written for the first one.

What a client sends may only be allowed more; what it gets may only be promised more. A removed
operation, parameter, answer or field breaks; so does a new required value in a request, a value
that may be missing from an answer from now on, another type, and a narrower limit in a request.
A new value of an enumeration in an answer breaks too, because clients check them.
"""

from collections.abc import Iterator
from typing import Any, Final

type Document = dict[str, Any]
type Schema = dict[str, Any]

# Limits of values, and whether a greater one is narrower.
_LIMITS: Final = {
    **dict.fromkeys(("minimum", "exclusiveMinimum", "minLength", "minItems"), True),
    **dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength", "maxItems"), False),
}
_PARTS: Final = ("items", "additionalProperties")
_MAX_DEPTH: Final = 20


class Comparison:
    """Compares two documents; `breaks` yields one sentence for each breaking change."""

    def __init__(self, before: Document, after: Document) -> None:
        self._before = before
        self._after = after

    def breaks(self) -> Iterator[str]:
        """Yield the breaking changes."""
        for path, methods in self._before["paths"].items():
            for method, old in methods.items():
                name = f"{method.upper()} {path}"
                new = self._after["paths"].get(path, {}).get(method)
                if new is None:
                    yield f"{name} is gone"
                    continue
                if old["operationId"] != new["operationId"]:
                    yield f"{name} has another name, {new['operationId']}"
                yield from self._parameters(name, old, new)
                yield from self._bodies(name, old, new)
                yield from self._answers(name, old, new)

    def _parameters(self, name: str, old: Document, new: Document) -> Iterator[str]:
        known, offered = _parameters(old), _parameters(new)
        for key, one in known.items():
            where = f"{name}: the parameter {key[1]}"
            if key not in offered:
                yield f"{where} is gone"
            else:
                yield from self._sent(where, one["schema"], offered[key]["schema"])
        for key, one in offered.items():
            if one.get("required") and not known.get(key, {}).get("required"):
                yield f"{name}: the parameter {key[1]} is required now"

    def _bodies(self, name: str, old: Document, new: Document) -> Iterator[str]:
        known, offered = old.get("requestBody"), new.get("requestBody")
        if known is None:
            if offered is not None and offered.get("required"):
                yield f"{name}: a body is required now"
            return
        if offered is None:
            yield f"{name}: the body is gone"
            return
        for kind, content in known["content"].items():
            if kind not in offered["content"]:
                yield f"{name}: a body as {kind} is not taken any more"
            else:
                schema = offered["content"][kind]["schema"]
                yield from self._sent(f"{name}: the body", content["schema"], schema)

    def _answers(self, name: str, old: Document, new: Document) -> Iterator[str]:
        for status, known in old["responses"].items():
            if status >= "400":
                continue  # errors have one form, and may come and go
            given = new["responses"].get(status)
            if given is None:
                yield f"{name}: the answer {status} is gone"
                continue
            for header in known.get("headers", {}):
                if header not in given.get("headers", {}):
                    yield f"{name}: the header {header} of {status} is gone"
            for kind, content in known.get("content", {}).items():
                if kind not in given.get("content", {}):
                    yield f"{name}: the answer {status} as {kind} is gone"
                else:
                    schema = given["content"][kind].get("schema", {})
                    where = f"{name}: the answer {status}"
                    yield from self._given(where, content.get("schema", {}), schema)

    def _sent(self, where: str, old: Schema, new: Schema, depth: int = 0) -> Iterator[str]:
        """Yield what a client may not send any more."""
        old, new = _resolved(self._before, old), _resolved(self._after, new)
        if depth > _MAX_DEPTH or not new:
            return
        old_options, new_options = _options(self._before, old), _options(self._after, new)
        if len(old_options) > 1 or len(new_options) > 1:
            yield from self._options_sent(where, old_options, new_options, depth)
            return
        [old], [new] = old_options, new_options
        if old.get("type") != new.get("type") and not _widened(old, new):
            yield f"{where} is {new.get('type')} now, not {old.get('type')}"
            return
        yield from _narrowed(where, old, new)
        known, offered = old.get("properties", {}), new.get("properties", {})
        for field in sorted(set(new.get("required", [])) - set(old.get("required", []))):
            yield f"{where}: {field} is required now"
        for field, schema in known.items():
            if field in offered:
                yield from self._sent(f"{where}: {field}", schema, offered[field], depth + 1)
            elif new.get("additionalProperties") is False:
                yield f"{where}: {field} is not taken any more"
        for part in _PARTS:
            if isinstance(old.get(part), dict) and isinstance(new.get(part), dict):
                yield from self._sent(f"{where}: {part}", old[part], new[part], depth + 1)

    def _options_sent(
        self, where: str, old: list[Schema], new: list[Schema], depth: int
    ) -> Iterator[str]:
        for option in old:
            problems = [list(self._sent(where, option, one, depth + 1)) for one in new]
            if all(problems):
                yield min(problems, key=len)[0]

    def _given(self, where: str, old: Schema, new: Schema, depth: int = 0) -> Iterator[str]:
        """Yield what an answer does not promise any more."""
        old, new = _resolved(self._before, old), _resolved(self._after, new)
        if depth > _MAX_DEPTH or not old:
            return
        old_options, new_options = _options(self._before, old), _options(self._after, new)
        if len(old_options) > 1 or len(new_options) > 1:
            for option in new_options:
                problems = [list(self._given(where, one, option, depth + 1)) for one in old_options]
                if all(problems):
                    yield min(problems, key=len)[0]
            return
        [old], [new] = old_options, new_options
        if old.get("type") != new.get("type") and not _widened(new, old):
            yield f"{where} is {new.get('type')} now, not {old.get('type')}"
            return
        yield from _loosened(where, old, new)
        given = new.get("properties", {})
        for field, schema in old.get("properties", {}).items():
            if field not in given:
                yield f"{where}: {field} is gone"
            else:
                yield from self._given(f"{where}: {field}", schema, given[field], depth + 1)
        for field in sorted(set(old.get("required", [])) & set(given)):
            if field not in new.get("required", []):
                yield f"{where}: {field} may be missing now"
        for part in _PARTS:
            if isinstance(old.get(part), dict):
                yield from self._given(f"{where}: {part}", old[part], new.get(part, {}), depth + 1)


def refusals(before: Document, after: Document) -> list[str]:
    """Return the breaking changes that the new document's version does not allow."""
    old, new = (int(one["info"]["version"].partition(".")[0]) for one in (before, after))
    return [] if new > old else list(dict.fromkeys(Comparison(before, after).breaks()))


def _narrowed(where: str, old: Schema, new: Schema) -> Iterator[str]:
    """Yield the values of a request that the limits do not allow any more."""
    if (taken := _values(new)) and not _values(old):
        yield f"{where} takes only some values now"
    elif taken and (gone := _values(old) - taken):
        yield f"{where} does not take {', '.join(sorted(map(str, gone)))} any more"
    if (pattern := new.get("pattern")) and pattern != old.get("pattern"):
        yield f"{where} must match {pattern} now"
    for limit, grows in _LIMITS.items():
        if limit in new and (
            limit not in old or (new[limit] > old[limit] if grows else new[limit] < old[limit])
        ):
            yield f"{where} has the {limit} {new[limit]} now"


def _loosened(where: str, old: Schema, new: Schema) -> Iterator[str]:
    """Yield the values of an answer that were not possible before."""
    if (promised := _values(old)) and not _values(new):
        yield f"{where} can be any value now"
    elif promised and (added := _values(new) - promised):
        yield f"{where} can be {', '.join(sorted(map(str, added)))} now"


def _parameters(operation: Document) -> dict[tuple[str, str], Document]:
    return {(one["in"], one["name"]): one for one in operation.get("parameters", [])}


def _resolved(document: Document, schema: Schema) -> Schema:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _options(document: Document, schema: Schema) -> list[Schema]:
    return [_resolved(document, one) for one in schema.get("anyOf", [schema])]


def _values(schema: Schema) -> set[Any]:
    return set(schema.get("enum", [schema["const"]] if "const" in schema else []))


def _widened(old: Schema, new: Schema) -> bool:
    """Whether every value of the old type is one of the new type."""
    return "type" not in new or (old.get("type"), new.get("type")) == ("integer", "number")
