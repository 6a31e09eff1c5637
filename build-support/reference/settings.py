"""The page of the services' settings, which are environment variables."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reference.table import code, table

SHARED: Final = "shared"
_LONGEST_DEFAULT: Final = 60


@dataclass(frozen=True)
class Setting:
    """A setting; `default` is None where the variable has to be set."""

    variables: tuple[str, ...]
    kind: str
    default: str | None
    meaning: str


@dataclass(frozen=True)
class Group:
    """The settings that one class declares, and the classes that it inherits from."""

    bases: tuple[str, ...]
    settings: tuple[Setting, ...]


def groups(path: Path) -> dict[str, Group]:
    """Return the classes of settings in a module by name."""
    found = {}
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ClassDef) and node.name.endswith("Settings"):
            bases = tuple(base.id for base in node.bases if isinstance(base, ast.Name))
            found[node.name] = Group(bases, tuple(_settings(node)))
    return found


def page(repository: Path) -> str:
    """Return the page: the settings that services share, then each service's own."""
    backend = repository / "backend"
    shared = groups(backend / SHARED / "settings.py")
    parts = [
        "# Settings\n",
        "Environment variables of the services. A missing or wrong one ends the start with a "
        "message that names it.\n",
        "## All services\n",
        _table(shared["BaseServiceSettings"]),
        "## Services that call AWS\n",
        _table(shared["BaseAWSSettings"]),
        "## Services behind the gateway\n",
        _table(shared["BaseTracingSettings"], shared["FullServiceSettings"]),
    ]
    for path in sorted(backend.glob("*/settings.py")):
        service = path.parent.name
        if service != SHARED and (own := groups(path)["Settings"]).settings:
            parts += [f"## {service}\n", _inherited(own, shared), _table(own)]
    return "\n".join(parts)


def _inherited(own: Group, shared: Mapping[str, Group]) -> str:
    titles = {
        "BaseServiceSettings": "of all services",
        "BaseAWSSettings": "of services that call AWS",
        "FullServiceSettings": "above",
    }
    return f"Beside those {' and '.join(titles[base] for base in own.bases if base in shared)}:\n"


def _settings(node: ast.ClassDef) -> Iterator[Setting]:
    for index, statement in enumerate(node.body):
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        name = statement.target.id
        following = node.body[index + 1] if index + 1 < len(node.body) else None
        field = _field(statement.value)
        yield Setting(
            _aliases(field) or (name.upper(),),
            ast.unparse(statement.annotation),
            _default(statement.value, field),
            _docstring(following),
        )


def _field(value: ast.expr | None) -> Mapping[str, ast.expr]:
    if isinstance(value, ast.Call) and ast.unparse(value.func) == "Field":
        return {keyword.arg: keyword.value for keyword in value.keywords if keyword.arg}
    return {}


def _aliases(field: Mapping[str, ast.expr]) -> tuple[str, ...]:
    match field.get("validation_alias"):
        case ast.Call(args=names):
            return tuple(str(name.value) for name in names if isinstance(name, ast.Constant))
        case ast.Constant(value=str(name)):
            return (name,)
    return ()


def _default(value: ast.expr | None, field: Mapping[str, ast.expr]) -> str | None:
    if factory := field.get("default_factory"):
        return ast.unparse(factory) + "()"
    if value is None or (field and "default" not in field):
        return None
    return ast.unparse(field.get("default", value))


def _docstring(statement: ast.stmt | None) -> str:
    match statement:
        case ast.Expr(value=ast.Constant(value=str(text))):
            return " ".join(text.split())
    return ""


def _table(*declared: Group) -> str:
    rows = [
        (
            " or ".join(code(variable) for variable in setting.variables),
            code(setting.kind),
            _shown(setting.default),
            setting.meaning,
        )
        for group in declared
        for setting in group.settings
    ]
    return table(("variable", "type", "default", "meaning"), rows)


def _shown(default: str | None) -> str:
    if default is None:
        return "**required**"
    if default == "None":
        return "not set"
    return code(default) if len(default) <= _LONGEST_DEFAULT else "see `settings.py`"
