"""The page of error codes."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reference.modules import ROOMS, modules_of
from reference.table import code, table

_INTRODUCTION: Final = """\
# Error codes

Every error of a service is JSON: `error` (one of the codes below), `detail` (what happened and what
the caller can do), `timestamp` and `request_id`. `Retry-After` says how many seconds to wait before
the next attempt. With `x-should-retry: false`, the service has repeated the call already: do not
repeat the request.
"""

_GATEWAY: Final = """\
## Errors of the gateway

API Gateway answers these itself, before or after a service. The body is `{"message": "…"}`, and
`x-amzn-errortype` names the kind.
"""

# As API Gateway words them; backend/local/gateway answers the same, and its tests compare.
_GATEWAY_ERRORS: Final = (
    ("403", "Forbidden", "The API key is missing or wrong."),
    ("403", "Missing Authentication Token", "There is no such path or method."),
    ("413", "Request Too Long", "The body is over 10 MB."),
    ("429", "Too Many Requests", "The key sends requests faster than its throttle allows."),
    ("429", "Limit Exceeded", "The key's quota is used up until its period ends."),
    ("500", "Internal server error", "A function is throttled."),
    ("502", "Internal server error", "A function failed, or its answer is malformed."),
    ("504", "Endpoint request timed out", "The service did not answer within 29 s."),
)

# The docstring of the base class is about the class, not about the error with its code.
_MEANINGS: Final = {"ServiceError": "The service failed; quote the request id when you report it."}


@dataclass(frozen=True)
class ErrorCode:
    """A code of an error, with its HTTP status and the reason in one sentence."""

    status: int
    code: str
    meaning: str


def error_codes(paths: Iterable[Path]) -> Iterator[ErrorCode]:
    """Yield the codes that subclasses of ServiceError declare; a base's module comes first."""
    statuses: dict[str, int] = {}
    for path in paths:
        for node in ast.parse(path.read_text()).body:
            if not isinstance(node, ast.ClassDef):
                continue
            values = dict(_assigned(node))
            bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
            status = values.get("status") or next(
                (statuses[base] for base in bases if base in statuses), None
            )
            if isinstance(status, int):
                statuses[node.name] = status
                if isinstance(name := values.get("code"), str):
                    docstring = (ast.get_docstring(node) or "").split("\n\n")[0]
                    yield ErrorCode(status, name, _MEANINGS.get(node.name) or docstring)


def page(repository: Path) -> str:
    """Return the page."""
    backend = repository / "backend"
    modules = (path for room in ROOMS for path in modules_of(backend, room))
    found = {*error_codes([backend / "shared/errors.py", *modules])}
    rows = [(str(error.status), code(error.code), error.meaning) for error in found]
    return "\n".join(
        [
            _INTRODUCTION,
            table(("status", "code", "meaning"), sorted(rows)),
            _GATEWAY,
            table(("status", "message", "meaning"), _GATEWAY_ERRORS),
        ]
    )


def _assigned(node: ast.ClassDef) -> Iterator[tuple[str, object]]:
    for statement in node.body:
        match statement:
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
                for name, value in zip(names, values, strict=True):
                    yield from _constant(name, value)
            case ast.Assign(targets=[name], value=value):
                yield from _constant(name, value)
            case ast.AnnAssign(target=name, value=ast.Constant() as value):
                yield from _constant(name, value)


def _constant(name: ast.expr, value: ast.expr) -> Iterator[tuple[str, object]]:
    if isinstance(name, ast.Name) and isinstance(value, ast.Constant):
        yield name.id, value.value
