"""The page of log events."""

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reference.modules import ROOMS, modules_of
from reference.table import code, table

LEVELS: Final = ("debug", "info", "warning", "error", "exception", "critical")
_LOGGERS: Final = ("_log", "log", "logger", "_logger")
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
type _Function = ast.FunctionDef | ast.AsyncFunctionDef

_INTRODUCTION = """\
# Log events

The values of `event` in the services' log lines, and the fields that each event adds.
[Logs, traces and metrics](../logs.md) describes the fields of every line, and has queries.
"""


@dataclass(frozen=True, order=True)
class LogEvent:
    """An event that a room writes, with the level and the fields of its lines."""

    name: str
    level: str
    fields: tuple[str, ...]
    module: str


def log_events(backend: Path, room: str) -> Iterator[LogEvent]:
    """Yield each event that a room's modules write, tests left out.

    Where a function writes the event that its caller names, the callers in the room are read.

    Raises:
        ValueError: An event is not a literal, nor a variable or parameter whose values are.
    """
    modules = {
        path.relative_to(backend).as_posix(): ast.parse(path.read_text())
        for path in modules_of(backend, room)
    }
    for module, tree in modules.items():
        for function in _functions(tree):
            for call in _own_calls(function):
                match call.func:
                    case ast.Attribute(value=ast.Name(id=logger), attr=level) if (
                        logger in _LOGGERS and level in LEVELS
                    ):
                        names = _names(call, function, modules.values())
                        if not names:
                            raise ValueError(
                                f"{module}:{call.lineno}: write the event as a literal"
                            )
                        fields = _fields(call, level)
                        shown = "error" if level == "exception" else level
                        for name in names:
                            yield LogEvent(name, shown, fields, module)


def page(repository: Path) -> str:
    """Return the page: one table a room, one row an event."""
    parts = [_INTRODUCTION]
    for room in ROOMS:
        rows = defaultdict(list)
        for event in log_events(repository / "backend", room):
            rows[event.name].append(event)
        if rows:
            parts += [f"## {room}\n", table(("event", "level", "fields", "module"), _rows(rows))]
    return "\n".join(parts)


def _functions(tree: ast.Module) -> Iterator[_Function]:
    return (node for node in ast.walk(tree) if isinstance(node, _FUNCTIONS))


def _own_calls(function: _Function) -> Iterator[ast.Call]:
    """Yield the calls in a function, without those of the functions inside it."""
    waiting: list[ast.AST] = [*function.body]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Call):
            yield node
        if not isinstance(node, _FUNCTIONS):
            waiting.extend(ast.iter_child_nodes(node))


def _names(call: ast.Call, function: _Function, modules: Iterable[ast.Module]) -> list[str]:
    event = call.args[0] if call.args else ast.Constant(None)
    parameters = [argument.arg for argument in function.args.args]
    if not isinstance(event, ast.Name):
        return _literals(event)
    if event.id not in parameters:
        return [name for value in _assigned(function, event.id) for name in _literals(value)]
    position = parameters.index(event.id)
    return [
        name
        for tree in modules
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == function.name
        and len(node.args) > position
        for name in _literals(node.args[position])
    ]


def _assigned(function: _Function, variable: str) -> Iterator[ast.expr]:
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name == variable:
                yield value


def _fields(call: ast.Call, level: str) -> tuple[str, ...]:
    given = [keyword.arg for keyword in call.keywords if keyword.arg]
    has_exception = level == "exception" or "exc_info" in given
    names = [name for name in given if name != "exc_info"]
    return (*names, *(["exception"] if has_exception else []))


def _literals(value: ast.expr) -> list[str]:
    match value:
        case ast.Constant(value=str(name)):
            return [name]
        case ast.IfExp(body=body, orelse=other):
            return [*_literals(body), *_literals(other)]
    return []


def _rows(events: dict[str, list[LogEvent]]) -> Iterator[tuple[str, ...]]:
    for name, found in sorted(events.items()):
        fields = {field for event in found for field in event.fields}
        yield (
            code(name),
            ", ".join(sorted({event.level for event in found}, key=LEVELS.index)),
            ", ".join(code(field) for field in sorted(fields)),
            ", ".join(code(module) for module in sorted({event.module for event in found})),
        )
