"""The services that services.json declares. Terraform reads the same file."""

import json
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple, Self

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
KeyName = Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9-]{0,31}$")]
Operation = Annotated[
    str,
    StringConstraints(pattern=r"^(GET|POST|PUT|PATCH|DELETE) (/([a-z][a-z0-9-]*|\{[a-z_]+\}))+$"),
]
Scopes = dict[Name, list[Name]]


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
    calls: Scopes = Field(
        description="Services that this one calls, and for each of them the scopes that this "
        "service's key needs; health needs none. A deploy moves traffic to them first, so calls "
        "cannot form a circle."
    )
    access: dict[Name, list[Operation]] = Field(
        default_factory=dict,
        description="The scopes of API keys: for each scope, the operations that it allows, as "
        "method and path. The service refuses every operation that is in no scope, except health "
        "and its own description.",
    )
    streams: list[Operation] = Field(
        default_factory=list,
        description="The operations whose answers are streamed: each has a resource of its own at "
        "the gateway, where Terraform's variable streaming is true.",
    )
    forwards_identity: bool = Field(
        default=False,
        description="Whether the service may say which end user its calls act for: the services "
        "that it calls honour the headers x-user, x-tenant and x-roles of its key, and refuse them "
        "with any other key.",
    )
    users: bool = Field(
        default=False,
        description="Whether end users call the service: Terraform's variable authorizer then "
        "applies to its paths, except for its health.",
    )

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.route != (self.kind != "task"):
            raise ValueError("a task has no route, and every other service has one")
        if self.key != (self.quota is not None):
            raise ValueError("a service with a key needs a quota, and no other service has one")
        if self.forwards_identity and not self.key:
            raise ValueError("a service needs a key to forward an identity")
        if self.calls and not self.key:
            raise ValueError("a service needs a key to call others")
        operations = [each for scope in self.access.values() for each in scope]
        if operations and not self.route:
            raise ValueError("a service without a route has no operations")
        if unknown := sorted(set(self.streams) - set(operations)):
            raise ValueError(f"{unknown[0]} streams, but is in no scope")
        if repeated := sorted({each for each in operations if operations.count(each) > 1}):
            raise ValueError(f"{repeated[0]} is in two scopes")
        return self


class Declaration(NamedTuple):
    """What services.json declares: services by name, and the scopes of each client's key."""

    services: dict[str, Service]
    clients: dict[str, Scopes]

    def scopes_of(self, key_name: str) -> Scopes:
        """Return the scopes of a key by service: what a service calls, or a client's scopes."""
        if key_name in self.clients:
            return self.clients[key_name]
        return self.services[key_name].calls

    def key_scopes(self, service: str) -> dict[str, Any]:
        """Return the value of a service's `KEY_SCOPES`; terraform/api-keys.tf makes the same."""
        names = [name for name, each in self.services.items() if each.key]
        return {
            "operations": self.services[service].access,
            "keys": {
                name: scopes
                for name in sorted([*names, *self.clients])
                if (scopes := self.scopes_of(name).get(service))
            },
            "forwards_identity": sorted(
                name for name, each in self.services.items() if each.forwards_identity
            ),
        }


_SERVICES: Final = TypeAdapter(dict[Name, Service])
_CLIENTS: Final = TypeAdapter(dict[KeyName, Scopes])


def read(file: Path = FILE) -> dict[str, Service]:
    """Return the declared services by name, in the order of the file.

    Raises:
        DeclarationError: The file is missing or wrong, or services call each other in a circle.
    """
    return declaration(file).services


def declaration(file: Path = FILE) -> Declaration:
    """Return what a file declares.

    Raises:
        DeclarationError: The file is missing or wrong, or services call each other in a circle.
    """
    try:
        content: Any = json.loads(file.read_text(encoding="utf-8"))
        clients: Any = {}
        if isinstance(content, dict):
            content.pop("$schema", None)
            clients = content.pop("$clients", {})
        services = _SERVICES.validate_python(content)
        declared = Declaration(services, _CLIENTS.validate_python(clients))
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
    if taken := sorted(set(declared.clients) & set(services)):
        raise DeclarationError(f"{file.name}: {taken[0]} is a service and a client")
    for name in [*services, *declared.clients]:
        for called, scopes in declared.scopes_of(name).items():
            known = services[called].access if called in services else {}
            if missing := sorted(set(scopes) - set(known)):
                raise DeclarationError(
                    f"{file.name}: {name} has the scope {missing[0]} of {called}, not declared"
                )
    callers_last(services)
    return declared


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
        "properties": {
            "$schema": {"type": "string"},
            "$clients": {
                "description": "The scopes of the clients' API keys, by service. A client is a key "
                "in Terraform's variable service_api_keys that is no service's.",
                **_CLIENTS.json_schema(),
            },
        },
        "patternProperties": {NAME_PATTERN: {"$ref": "#/$defs/Service"}},
        "additionalProperties": False,
        "$defs": {**definitions, "Service": service},
    }


DECLARED: Final = declaration()

SERVICES: Final = DECLARED.services
"""Every service by name."""

FUNCTIONS: Final = tuple(name for name, each in SERVICES.items() if each.kind == "function")
CONTAINERS: Final = tuple(name for name, each in SERVICES.items() if each.kind == "container")
ROUTED: Final = tuple(name for name, each in SERVICES.items() if each.route)
"""The services behind the gateway."""
