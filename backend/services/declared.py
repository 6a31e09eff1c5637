"""The services that services.json declares. Terraform reads the same file."""

import json
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)

FILE: Final = Path(__file__).resolve().parents[2] / "services.json"

NAME_PATTERN: Final = "^[a-z][a-z0-9]{1,15}$"

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]


class DeclarationError(ValueError):
    """services.json is missing or wrong; the message names each problem."""


class Quota(BaseModel):
    """How many requests a service may send to the others."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: int = Field(ge=1, description="Requests in each period.")
    period: Literal["DAY", "WEEK", "MONTH"] = Field(description="Length of a period.")


class Service(BaseModel):
    """A service; its name is the name of its folder in backend/ and of its path on the gateway."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["function", "container", "task"] = Field(
        description="function: a Lambda function behind the gateway. container: an App Runner "
        "service behind the gateway, or a function where runner_platform is lambda. task: a Lambda "
        "function that events invoke."
    )
    memory_mb: int = Field(ge=128, le=10_240, description="Memory in MB.")
    timeout_s: int = Field(
        ge=1, le=900, description="Seconds after which Lambda ends an invocation."
    )
    route: bool = Field(
        description="Whether the gateway sends /NAME and everything below it to the service. "
        "A task has no route; every other service has one."
    )
    key: bool = Field(
        description="Whether the service has an API key of its own, to call other services."
    )
    quota: Quota | None = Field(
        default=None,
        description="Quota of the service's API key. Terraform's variable service_api_keys "
        "replaces it in an environment.",
    )
    calls: list[Name] = Field(
        description="Services that this one calls. A deploy moves traffic to them first, so calls "
        "cannot form a circle."
    )
    scopes: list[str] | None = Field(
        default=None,
        description="Set, and possibly empty, for a service that end users call: Terraform's "
        "variable authorizer then applies to it, and a token needs one of these OAuth scopes or of "
        "the authorizer's.",
    )

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.route != (self.kind != "task"):
            raise ValueError("a task has no route, and every other service has one")
        if self.key != (self.quota is not None):
            raise ValueError("a service with a key needs a quota, and no other service has one")
        if self.calls and not self.key:
            raise ValueError("a service needs a key to call others")
        return self


_SERVICES: Final = TypeAdapter(dict[Name, Service])


def read(file: Path = FILE) -> dict[str, Service]:
    """Return the declared services by name, in the order of the file.

    Raises:
        DeclarationError: The file is missing or wrong, or services call each other in a circle.
    """
    try:
        content: Any = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(content, dict):
            content.pop("$schema", None)
        services = _SERVICES.validate_python(content)
    except ValidationError as error:
        lines = [
            f"  {'.'.join(str(part) for part in item['loc'])}: {item['msg']}"
            for item in error.errors(include_url=False, include_context=False)
        ]
        raise DeclarationError("\n".join([f"{file.name} is wrong:", *lines])) from None
    except (OSError, ValueError) as error:
        raise DeclarationError(f"{file} cannot be read: {error}") from error
    for name, service in services.items():
        if unknown := sorted(set(service.calls) - set(services)):
            raise DeclarationError(f"{file.name}: {name} calls {', '.join(unknown)}, not declared")
    callers_last(services)
    return services


def callers_last(services: Mapping[str, Service]) -> list[str]:
    """Return the names so that each service comes after those that it calls.

    Raises:
        DeclarationError: Services call each other in a circle.
    """
    sorter = TopologicalSorter({name: service.calls for name, service in services.items()})
    try:
        sorter.prepare()
    except CycleError as error:
        # graphlib lists the called service before its caller.
        circle = " calls ".join(error.args[1][::-1])
        raise DeclarationError(f"services.json: calls form a circle: {circle}") from None
    order: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        order += ready
        sorter.done(*ready)
    return order


def schema() -> dict[str, Any]:
    """Return the JSON schema of the file, which editors use for its descriptions."""
    service = Service.model_json_schema()
    definitions = service.pop("$defs")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The services, each declared once",
        "type": "object",
        "properties": {"$schema": {"type": "string"}},
        "patternProperties": {NAME_PATTERN: {"$ref": "#/$defs/Service"}},
        "additionalProperties": False,
        "$defs": {**definitions, "Service": service},
    }


SERVICES: Final = read()
"""Every service by name."""

FUNCTIONS: Final = tuple(name for name, each in SERVICES.items() if each.kind == "function")
CONTAINERS: Final = tuple(name for name, each in SERVICES.items() if each.kind == "container")
ROUTED: Final = tuple(name for name, each in SERVICES.items() if each.route)
"""The services behind the gateway."""
