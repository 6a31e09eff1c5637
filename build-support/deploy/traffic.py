"""What an environment serves: the versions behind the `live` aliases, and the runner's image."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from deploy.aws import client
from deploy.program import REPOSITORY, Refused, read_json, write_json

# What served before a deploy: `plan` writes it, `rollback` goes back to it.
SERVED: Final = REPOSITORY / "dist" / "served.json"

# Whoever is called moves before its callers when a release goes live, after them on the way back.
_ORDER: Final = ("rotation", "s3vector", "chat", "runner", "api")

_IMAGE_MOVES_SECONDS: Final = 900  # App Runner starts instances and waits for their health checks.
_IMAGE_POLL_SECONDS: Final = 5


def callers_last(services: Iterable[str]) -> list[str]:
    """Return services in the order in which they go live; one that is not known here goes first."""
    return sorted(services, key=lambda name: (_ORDER.index(name) if name in _ORDER else -1, name))


@dataclass(frozen=True)
class Alias:
    """A function's alias and the version that it points to."""

    function: str
    alias: str
    version: str

    def move(self, version: str) -> None:
        """Let the alias point to a version, and be sure that it does."""
        client("lambda").update_alias(
            FunctionName=self.function,
            Name=self.alias,
            FunctionVersion=version,
            # A weight left over from elsewhere would go on sending requests to another version.
            RoutingConfig={"AdditionalVersionWeights": {}},
        )
        found = self.current()
        if found != version:
            raise Refused(f"{self.function} still serves version {found} instead of {version}")

    def current(self) -> str:
        """Return the version that the alias points to now."""
        return current_version(self.function, self.alias)


def current_version(function: str, alias: str) -> str:
    """Return the version that a function's alias points to."""
    found = client("lambda").get_alias(FunctionName=function, Name=alias)
    return str(found["FunctionVersion"])


@dataclass(frozen=True)
class Serving:
    """What an environment serves at one moment. Before the first deploy it is nothing.

    Attributes:
        aliases: By service.
        newest: The version that was published last, by service.
        runner_service_arn: App Runner's service, or None where the runner is a function.
        runner_image: Its image, by digest.
    """

    aliases: Mapping[str, Alias] = field(default_factory=dict)
    newest: Mapping[str, str] = field(default_factory=dict)
    runner_service_arn: str | None = None
    runner_image: str | None = None

    @classmethod
    def now(cls, outputs: Mapping[str, Any]) -> Self:
        """Ask AWS, by the names in Terraform's outputs.

        AWS and not the outputs: a rollback moves an alias without Terraform.
        """
        aliases = {
            service: Alias(
                item["name"], item["alias"], current_version(item["name"], item["alias"])
            )
            for service, item in outputs.get("functions", {}).items()
        }
        runner = outputs.get("runner") or {}
        arn = runner.get("service_arn")
        return cls(
            aliases=aliases,
            newest={
                service: item["newest_version"]
                for service, item in outputs.get("functions", {}).items()
            },
            runner_service_arn=arn,
            runner_image=_image(arn) if arn else None,
        )

    @classmethod
    def read(cls, path: Path, environment: str) -> Self:
        """Read what `write` wrote of an environment.

        Raises:
            Refused: It is what another environment served, or something else.
        """
        content: Any = read_json(path)
        try:
            served_by = content.pop("environment")
            aliases = {service: Alias(**item) for service, item in content["aliases"].items()}
            serving = cls(**{**content, "aliases": aliases})
        except (KeyError, TypeError, AttributeError):
            raise Refused(f"{path} does not say what an environment served") from None
        if served_by != environment:
            raise Refused(f"{path} says what {served_by} served, not {environment}")
        return serving

    def write(self, path: Path, environment: str) -> None:
        """Keep it for a rollback of this environment."""
        write_json(path, {**asdict(self), "environment": environment})

    def markdown(self, environment: str) -> str:
        """Return it for people to read."""
        if not self.aliases:
            return f"### {environment} serves nothing yet"
        rows = [f"| {service} | {alias.version} |" for service, alias in self.aliases.items()]
        if self.runner_image:
            rows.append(f"| runner | `{self.runner_image}` |")
        head = [f"### {environment} serves", "", "| service | version |", "|---|---|"]
        return "\n".join([*head, *rows])

    def live_versions(self) -> dict[str, str]:
        """Return Terraform's variable of this name: with it a plan leaves the aliases alone."""
        return {service: alias.version for service, alias in self.aliases.items()}

    def staged(self) -> dict[str, Alias]:
        """Return, as aliases of the newest version, the services that serve an older one."""
        return {
            service: Alias(alias.function, alias.alias, self.newest[service])
            for service, alias in self.aliases.items()
            if self.newest.get(service, alias.version) != alias.version
        }


def move_image(service_arn: str, image: str) -> str:
    """Let App Runner run an image, wait until it does, and return the image before.

    Raises:
        Refused: It kept the other image, or did not settle within 15 minutes.
    """
    # App Runner refuses a change while it works on another one, such as the deploy that failed.
    _settled(service_arn)
    runner = client("apprunner")
    source = runner.describe_service(ServiceArn=service_arn)["Service"]["SourceConfiguration"]
    before = source["ImageRepository"]
    if before["ImageIdentifier"] != image:
        runner.update_service(
            ServiceArn=service_arn,
            SourceConfiguration={**source, "ImageRepository": {**before, "ImageIdentifier": image}},
        )
    status = _settled(service_arn)
    if status != "RUNNING" or _image(service_arn) != image:
        raise Refused(f"{service_arn} is {status} and runs {_image(service_arn)}, not {image}")
    return str(before["ImageIdentifier"])


def _settled(service_arn: str) -> str:
    deadline = time.monotonic() + _IMAGE_MOVES_SECONDS
    while (status := _status(service_arn)) == "OPERATION_IN_PROGRESS":
        if time.monotonic() > deadline:
            raise Refused(f"{service_arn} is still moving after {_IMAGE_MOVES_SECONDS} s")
        time.sleep(_IMAGE_POLL_SECONDS)
    return status


def _status(service_arn: str) -> str:
    service = client("apprunner").describe_service(ServiceArn=service_arn)["Service"]
    return str(service["Status"])


def _image(service_arn: str) -> str:
    service = client("apprunner").describe_service(ServiceArn=service_arn)["Service"]
    return str(service["SourceConfiguration"]["ImageRepository"]["ImageIdentifier"])
