"""Finds the resource of the REST API for a request path."""

from collections.abc import Mapping
from dataclasses import dataclass

from local.blueprint import Method

_ANY = frozenset(["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"])


@dataclass(frozen=True, slots=True)
class Match:
    """The resource (a template) and method for a request, with the values of its parameters."""

    resource: str
    method: Method
    parameters: Mapping[str, str]


def match(
    resources: Mapping[str, Mapping[str, Method]], http_method: str, path: str
) -> Match | None:
    """The most specific resource for `path` that has the method; None if there is none.

    A literal segment wins over `{name}`, which wins over `{name+}`; the exact method wins over
    `ANY`.
    """
    segments = path.strip("/").split("/") if path.strip("/") else []
    candidates = []
    for template in resources:
        found = _parameters(template, segments)
        if found is not None:
            rank, parameters = found
            candidates.append((rank, template, parameters))
    for _, template, parameters in sorted(candidates, key=lambda candidate: candidate[0]):
        methods = resources[template]
        method = methods.get(http_method)
        if method is None and http_method in _ANY:
            method = methods.get("ANY")
        if method is not None:
            return Match(template, method, parameters)
    return None


def _parameters(template: str, segments: list[str]) -> tuple[list[int], dict[str, str]] | None:
    """The parameters, after the rank of each part of the template (0 literal, 1 `{name}`, 2
    `{name+}`); None if the template does not match.
    """
    parts = template.strip("/").split("/") if template.strip("/") else []
    rank: list[int] = []
    parameters: dict[str, str] = {}
    for position, part in enumerate(parts):
        if part.startswith("{") and part.endswith("+}"):
            if position >= len(segments):
                return None
            parameters[part[1:-2]] = "/".join(segments[position:])
            return [*rank, 2], parameters
        if position >= len(segments):
            return None
        if part.startswith("{"):
            parameters[part[1:-1]] = segments[position]
            rank.append(1)
        elif part == segments[position]:
            rank.append(0)
        else:
            return None
    return (rank, parameters) if len(parts) == len(segments) else None
