"""Reads the values that a plan gives to each resource, without those that AWS would compute.

The mocked provider gives each computed attribute a random string. Where another attribute has that
string, the value says to which attribute of which resource it refers.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

Values = dict[str, Any]


def resources_of(plan: Mapping[str, Any]) -> dict[str, Values]:
    """Return for each resource and output, by its address, the values by their path."""
    schemas = next(
        provider["resource_schemas"]
        for name, provider in plan["provider_schemas"].items()
        if name.endswith("hashicorp/aws")
    )
    changes = [
        (item["address"].replace("[0]", ""), schemas.get(item["type"]), item["change"]["after"])
        for item in plan["resource_changes"]
        if item["mode"] == "managed"
    ]
    named = _mocked_strings(changes)
    resources = {
        address: dict(_flat("", _configured(address, schema, after, named)))
        for address, schema, after in changes
    }
    for name, change in plan["output_changes"].items():
        value = dict(_flat("", {"value": _named(change["after"], named)}))
        resources[f"output.{name}"] = value | {"sensitive": change["after_sensitive"]}
    return resources


def _mocked_strings(changes: list[tuple[str, Any, Values]]) -> dict[str, str]:
    """Return the random strings of computed attributes, with the attribute that each belongs to."""
    named: dict[str, str] = {}
    for address, schema, after in changes:
        if isinstance(after.get("id"), str) and after["id"]:
            named[after["id"]] = f"<{address}.id>"
        for name, attribute in ((schema or {}).get("block") or {}).get("attributes", {}).items():
            value = after.get(name)
            if attribute.get("computed") and isinstance(value, str) and _RANDOM.fullmatch(value):
                owner = f"<{address}.{name}>"
                if not attribute.get("optional") or value not in named:
                    named[value] = owner
    return named


_RANDOM: Final = re.compile(r"[a-z0-9]{8}")


def _configured(address: str, schema: Any, after: Values, named: Mapping[str, str]) -> Values:
    """Return the attributes that the configuration sets, without those that AWS would compute."""
    if schema is None:  # terraform_data, of Terraform's own provider
        return {"triggers": _named(after["triggers_replace"], named)}
    return {
        name: value
        for name, value in _set_in(address, schema["block"], after, named).items()
        if name not in ("id", "tags_all")
    }


def _set_in(address: str, block: Any, after: Values, named: Mapping[str, str]) -> Values:
    kept: Values = {}
    for name, value in after.items():
        if nested := block.get("block_types", {}).get(name):
            items = value if isinstance(value, list) else [value] if value else []
            kept[name] = [_set_in(address, nested["block"], item, named) for item in items]
            continue
        attribute = block["attributes"][name]
        if not attribute.get("computed") or (attribute.get("optional") and value):
            random = (
                isinstance(value, str) and _RANDOM.fullmatch(value) and attribute.get("computed")
            )
            # A random string that no other attribute has is this one's own.
            own = f"<{address}.{name}>"
            if not random or named.get(value, own) != own:
                kept[name] = _named(value, named)
    return kept


def _named(value: Any, named: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        if value[:1] in "{[" and value[:2] != "[[" and value != "{}":
            try:
                # An empty object says something too, such as MaskConfig in a policy.
                return _named(json.loads(value, object_hook=lambda item: item or "<empty>"), named)
            except ValueError:
                pass
        return _WORD.sub(lambda match: named.get(match[0], match[0]), value)
    if isinstance(value, list):
        return [_named(item, named) for item in value]
    if isinstance(value, dict):
        return {_named(key, named): _named(item, named) for key, item in value.items()}
    return value


_HASH: Final = re.compile(r"[0-9a-f]{64}")
_WORD: Final = re.compile(r"(?<![a-z0-9])[a-z0-9]{8}(?![a-z0-9])")


def _flat(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the scalars and lists of scalars in a value, each with its path."""
    if path.endswith(".widgets"):
        for widget in (item["properties"] for item in value):
            lines = [" ".join(metric) for metric in widget["metrics"]]
            yield f"{path}.{widget['title']}", [widget["stat"], widget["period"], *lines]
    elif isinstance(value, str) and _HASH.fullmatch(value):
        yield path, "<hash>"
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _flat(f"{path}.{key}" if path else key, item)
    elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        for index, item in enumerate(value):
            name = next((item[key] for key in ("Sid", "title", "id") if item.get(key)), index)
            yield from _flat(path if len(value) == 1 and name == 0 else f"{path}.{name}", item)
    elif value is not None and value not in ([], {}):
        yield path, value
