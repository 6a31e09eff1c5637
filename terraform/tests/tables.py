"""The written tables of what each resource has, and their comparison with plans.

`tables/rights-LAYER.json` has the policies, trusts, boundaries and attachments: a line for the
actions, the resources and each condition of every statement. `tables/settings-LAYER.json` has all
other resources and the outputs. An entry covers all instances with the same values, with `{env}`,
`{key}` and `{region}` in place of an instance's own names. A value that differs between plans is
an object from names of plans to values. `exists` names the plans that have a resource, if some
have not.

`./pants run terraform/tests:write_tables` writes them again. Review each changed line.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.planned_values import Values
from tests.plans import Planned
from tests.variants import REGIONS

FOLDER: Final = Path(__file__).with_name("tables")
TOPICS: Final = ("rights", "settings")
_ENVIRONMENTS: Final = ("dev", "test", "prod", "anna")
_RIGHTS: Final = re.compile(r"(^|\.)(aws_iam_|aws_lambda_permission|aws_\w+_policy\.)")
_NO_RIGHTS: Final = re.compile(r"aws_(ecr_lifecycle|cloudwatch_log_data_protection)_policy")
_DEFAULTS: Final = {"Effect": "Allow", "Version": "2012-10-17"}
_INSTANCE: Final = re.compile(r"(?P<address>.*?)(\[\"(?P<key>[^\[]*)\"\])?")


@dataclass(frozen=True)
class Instance:
    """A planned resource with its own names taken out of its key and its values."""

    address: str
    key: str | None
    plan: str
    values: Mapping[str, Any] = field(compare=False)


def topic_of(address: str) -> str:
    """Return the table that a resource belongs to."""
    return "rights" if _RIGHTS.search(address) and not _NO_RIGHTS.search(address) else "settings"


def instances(plan: Planned, environment: str | None) -> Iterator[Instance]:
    """Yield the resources of a plan. Without an `environment`, each has one in its key or none."""
    region = REGIONS.get(plan.variant, "us-east-1")
    for full_address, values in plan.resources.items():
        match = _INSTANCE.fullmatch(full_address)
        address, key = (match["address"], match["key"]) if match else (full_address, None)
        own = environment or next((e for e in _ENVIRONMENTS if _has_word(e, key or "")), None)
        name = _without(key, own, "{env}") if key is not None else None
        label = plan.variant if environment or own is None else f"{plan.variant}/{own}"
        cleaned = {}
        for path, value in values.items():
            cleaned_path, cleaned_value = _cleaned(path, value)
            if cleaned_path is not None:
                for word, placeholder in ((own, "{env}"), (region, "{region}"), (name, "{key}")):
                    if word != "{env}":
                        cleaned_value = _without(cleaned_value, word, placeholder)
                cleaned[cleaned_path] = cleaned_value
        yield Instance(address, name, label, cleaned)


def _cleaned(path: str, value: Any) -> tuple[str | None, Any]:
    path = path.replace(".Statement.", ".")
    last = path.rpartition(".")[2]
    return (None if last == "Sid" or _DEFAULTS.get(last) == value else path), value


def _has_word(word: str, text: str) -> bool:
    return re.search(_word(word), text) is not None


def _word(word: str) -> str:
    return rf"(?<![A-Za-z0-9_]){re.escape(word)}(?![A-Za-z0-9_])"


def _without(value: Any, word: str | None, placeholder: str) -> Any:
    if not word:
        return value
    if isinstance(value, str):
        return re.sub(_word(word), lambda _: placeholder, value)
    if isinstance(value, list):
        return [_without(item, word, placeholder) for item in value]
    if isinstance(value, dict):
        return {name: _without(item, word, placeholder) for name, item in value.items()}
    return value


# --- Writing --------------------------------------------------------------------------------------


def encoded(found: Iterable[Instance]) -> dict[str, Values]:
    """Return the table of all instances of all plans."""
    by_resource: dict[tuple[str, str | None], dict[str, Mapping[str, Any]]] = {}
    labels: dict[bool, list[str]] = {True: [], False: []}
    for item in found:
        by_resource.setdefault((item.address, item.key), {})[item.plan] = item.values
        known = labels["/" in item.plan]
        if item.plan not in known:
            known.append(item.plan)
    bodies: dict[tuple[str, str], list[str | None]] = {}
    for (address, key), plans in by_resource.items():
        body = _body(plans, labels["/" in next(iter(plans))])
        bodies.setdefault((address, json.dumps(body)), []).append(key)
    return {
        address if keys == [None] else f"{address}[{', '.join(sorted(str(k) for k in keys))}]": (
            json.loads(body)
        )
        for (address, body), keys in sorted(bodies.items())
    }


def _body(plans: Mapping[str, Mapping[str, Any]], labels: list[str]) -> Values:
    body: Values = {}
    if set(plans) != set(labels):
        body["exists"] = ", ".join(label for label in labels if label in plans)
    for path in sorted({path for values in plans.values() for path in values}):
        groups: dict[str, list[str]] = {}
        for plan, values in plans.items():
            if path in values:
                groups.setdefault(json.dumps(values[path]), []).append(plan)
        if len(groups) == 1 and len(next(iter(groups.values()))) == len(plans):
            body[path] = json.loads(next(iter(groups)))
        else:
            body[path] = {", ".join(names): json.loads(text) for text, names in groups.items()}
    return body


def text_of(table: Mapping[str, Values]) -> str:
    """Return a table as JSON with one value a line."""
    entries = []
    for name, body in table.items():
        lines = [f"    {json.dumps(path)}: {json.dumps(value)}" for path, value in body.items()]
        entries.append(f"  {json.dumps(name)}: {{\n" + ",\n".join(lines) + "\n  }")
    return "{\n" + ",\n".join(entries) + "\n}\n"


def read(topic: str, layer: str) -> dict[str, Values]:
    """Return a written table."""
    table: dict[str, Values] = json.loads((FOLDER / f"{topic}-{layer}.json").read_text())
    return table


# --- Comparing ------------------------------------------------------------------------------------


def differences(table: Mapping[str, Values], found: Iterable[Instance], variant: str) -> list[str]:
    """Return a line for each value of one plan that is not as its table says."""
    written: dict[tuple[str, str | None], tuple[str, Values]] = {}
    for name, body in table.items():
        address, _, keys = name.removesuffix("]").partition("[")
        for key in keys.split(", ") if keys else [None]:
            written[(address, key)] = (name, body)
    lines = []
    seen: set[tuple[str, str | None, str]] = set()
    for item in found:
        where = item.address if item.key is None else f"{item.address}[{item.key}]"
        seen.add((item.address, item.key, item.plan))
        _, body = written.get((item.address, item.key), ("", {}))
        if not body or not _exists(body, item.plan):
            lines.append(f"{item.plan}: {where}: planned, and not in the table")
            continue
        expected = _expected(body, item.plan)
        for path in sorted({*expected, *item.values}):
            old, new = expected.get(path), item.values.get(path)
            if old != new:
                lines.append(f"{item.plan}: {where}: {path}: {_change(old, new)}")
    known = {plan for _, _, plan in seen}
    for (address, key), (_, body) in written.items():
        where = address if key is None else f"{address}[{key}]"
        for plan in sorted(known):
            if ("/" in plan) == ("{env}" in (key or "") or key in _ENVIRONMENTS):
                gone = _exists(body, plan) and (address, key, plan) not in seen
                if gone:
                    lines.append(f"{plan}: {where}: in the table, and not planned")
    return lines


def _exists(body: Values, plan: str) -> bool:
    return "exists" not in body or plan in body["exists"].split(", ")


def _expected(body: Values, plan: str) -> Values:
    expected = {}
    for path, value in body.items():
        if path == "exists":
            continue
        if not isinstance(value, dict):
            expected[path] = value
            continue
        for names, one in value.items():
            if plan in names.split(", "):
                expected[path] = one
    return expected


def _change(old: Any, new: Any) -> str:
    if isinstance(old, list) and isinstance(new, list):
        added = [item for item in new if item not in old]
        removed = [item for item in old if item not in new]
        parts = [f"added {json.dumps(added)}"] if added else []
        parts += [f"removed {json.dumps(removed)}"] if removed else []
        return "; ".join(parts) or "in another order"
    if old is None:
        return f"added {json.dumps(new)}"
    if new is None:
        return f"removed {json.dumps(old)}"
    return f"{json.dumps(old)} became {json.dumps(new)}"
