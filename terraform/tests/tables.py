"""The written tables of what each resource has.

`tables/rights-LAYER.json` has the policies, trusts, boundaries and attachments: a line for the
actions, the resources and each condition of every statement. `tables/settings-LAYER.json` has all
other resources and the outputs. An entry covers all instances with the same values, with `{env}`,
`{key}` and `{region}` in place of an instance's own names. A value that differs between plans is
an object from names of plans to values. `exists` names the plans that have a resource, if some
have not.

`tables/service-NAME.json` has what a service adds to the tables that were written before it: its
own entries, and its elements of lists in other entries. `new_service` makes the file.

`./pants run terraform/tests:write_tables` writes the tables again, and deletes the files of
services, because the tables then have all of them. Review each changed line.
"""

import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.planned_values import Values
from tests.plans import Planned
from tests.variants import REGIONS

FOLDER: Final = Path(__file__).with_name("tables")
TOPICS: Final = ("rights", "settings")
ENVIRONMENTS: Final = ("dev", "test", "prod", "anna")
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
        own = environment or next((e for e in ENVIRONMENTS if _has_word(e, key or "")), None)
        name = replaced(key, own, "{env}") if key is not None else None
        label = plan.variant if environment or own is None else f"{plan.variant}/{own}"
        cleaned = {}
        for path, value in values.items():
            cleaned_path, cleaned_value = _cleaned(path, value)
            if cleaned_path is not None:
                for word, placeholder in ((own, "{env}"), (region, "{region}"), (name, "{key}")):
                    if word != "{env}":
                        cleaned_value = replaced(cleaned_value, word, placeholder)
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


def replaced(value: Any, word: str | None, placeholder: str) -> Any:
    if not word:
        return value
    if isinstance(value, str):
        return re.sub(_word(word), lambda _: placeholder, value)
    if isinstance(value, list):
        return [replaced(item, word, placeholder) for item in value]
    if isinstance(value, dict):
        return {name: replaced(item, word, placeholder) for name, item in value.items()}
    return value


# --- Writing --------------------------------------------------------------------------------------


def encoded(
    found: Iterable[Instance], every: Iterable[Instance] | None = None
) -> dict[str, Values]:
    """Return the table of the instances of all plans.

    Args:
        found: The instances to write.
        every: All instances of the plans, if `found` is a part of them.
    """
    found = list(found)
    by_resource: dict[tuple[str, str | None], dict[str, Mapping[str, Any]]] = {}
    labels: dict[bool, list[str]] = {True: [], False: []}
    for item in found if every is None else every:
        known = labels["/" in item.plan]
        if item.plan not in known:
            known.append(item.plan)
    for item in found:
        by_resource.setdefault((item.address, item.key), {})[item.plan] = item.values
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


def text_of(table: Mapping[str, Any]) -> str:
    """Return a table as JSON with one value a line."""
    entries = []
    for name, body in table.items():
        text = json.dumps(body)
        if isinstance(body, dict):
            lines = [f"    {json.dumps(path)}: {json.dumps(value)}" for path, value in body.items()]
            text = "{\n" + ",\n".join(lines) + "\n  }"
        entries.append(f"  {json.dumps(name)}: {text}")
    return "{\n" + ",\n".join(entries) + "\n}\n"


def text_of_service(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the file of what a service adds to each table."""
    texts = {name: textwrap.indent(text_of(table), "  ") for name, table in tables.items() if table}
    entries = [f"  {json.dumps(name)}: {text.strip()}" for name, text in texts.items()]
    return "{\n" + ",\n".join(entries) + "\n}\n"


# --- Reading --------------------------------------------------------------------------------------


def read(topic: str, layer: str) -> dict[str, Values]:
    """Return a written table."""
    table: dict[str, Values] = json.loads((FOLDER / f"{topic}-{layer}.json").read_text())
    return table


def read_added(topic: str, layer: str) -> list[dict[str, Any]]:
    """Return what each service adds to a table that was written before it."""
    files = [json.loads(path.read_text()) for path in service_files()]
    return [file.get(f"{topic}-{layer}", {}) for file in files]


def service_file(name: str) -> Path:
    """Return the file of a service that the tables do not have yet."""
    return FOLDER / f"service-{name}.json"


def service_files() -> list[Path]:
    """Return the files of the services that the tables do not have yet."""
    return sorted(FOLDER.glob("service-*.json"))
