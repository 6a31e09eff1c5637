"""From a request path to the resource of the REST API that serves it."""

from collections.abc import Mapping
from dataclasses import dataclass

from local.blueprint import Method


@dataclass(frozen=True, slots=True)
class Match:
    """`resource` is the template, `parameters` what its braces stand for in this request."""

    resource: str
    method: Method
    parameters: Mapping[str, str]


def match(
    resources: Mapping[str, Mapping[str, Method]], http_method: str, path: str
) -> Match | None:
    """The most specific resource that has the method, or None, as API Gateway chooses.

    A literal part beats `{name}`, which beats `{name+}`; a method of its own beats `ANY`.
    """
    segments = path.strip("/").split("/") if path.strip("/") else []
    candidates = []
    for template in resources:
        found = _parameters(template, segments)
        if found is not None:
            rank, parameters = found
            candidates.append((rank, template, parameters))
    if not candidates:
        return None
    _, template, parameters = min(candidates, key=lambda candidate: candidate[0])
    methods = resources[template]
    method = methods.get(http_method) or methods.get("ANY")
    return Match(template, method, parameters) if method else None


def _parameters(template: str, segments: list[str]) -> tuple[list[int], dict[str, str]] | None:
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
