"""The page of Terraform's input variables."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reference.table import code, table

LAYERS: Final = {
    "terraform": "The application; `terraform/environments/*.tfvars` sets them.",
    "bootstrap": "The account: roles, the state bucket, image repositories.",
}

_VARIABLE: Final = re.compile(r"^variable \"(\w+)\" \{\n(.*?)^\}", re.DOTALL | re.MULTILINE)
# `terraform fmt` indents an attribute of a variable by two spaces, and the end of its value too.
_ATTRIBUTE: Final = re.compile(
    r"^  (type|description|default) += (.*?)(?=^  (?:\w+ += |\w+ \{|#)|\Z)",
    re.DOTALL | re.MULTILINE,
)
_LONGEST_DEFAULT: Final = 60


@dataclass(frozen=True)
class Variable:
    """An input variable; `default` is None where a value has to be given."""

    name: str
    kind: str
    description: str
    default: str | None


def variables(layer: Path) -> Iterator[Variable]:
    """Yield the input variables of a layer by name."""
    found = [
        (name, {key: value.strip() for key, value in _ATTRIBUTE.findall(body)})
        for path in sorted(layer.glob("*.tf"))
        for name, body in _VARIABLE.findall(path.read_text())
    ]
    for name, attributes in sorted(found):
        yield Variable(
            name,
            attributes.get("type", "any"),
            attributes.get("description", '""').strip('"').replace('\\"', '"'),
            attributes.get("default"),
        )


def page(repository: Path) -> str:
    """Return the page: one table a layer."""
    parts = ["# Terraform variables\n"]
    for layer, purpose in LAYERS.items():
        rows = [
            (code(found.name), code(_kind(found.kind)), _default(found.default), found.description)
            for found in variables(repository / layer)
        ]
        parts += [f"## {layer}\n", f"{purpose}\n"]
        parts.append(table(("variable", "type", "default", "meaning"), rows))
    return "\n".join(parts)


def _kind(kind: str) -> str:
    return kind.split("(", 1)[0] + "(…)" if "\n" in kind else kind


def _default(default: str | None) -> str:
    if default is None:
        return "**required**"
    short = " ".join(default.split())
    return code(short) if len(short) <= _LONGEST_DEFAULT else "see `variables.tf`"
