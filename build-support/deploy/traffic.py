"""What an environment serves: the versions of the `live` aliases, and the runner's image."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from deploy.aws import client
from deploy.program import REPOSITORY, Refused, read_json, write_json
from services import declared

# The versions that served before a deploy: `plan` writes this file, `rollback` reads it.
SERVED: Final = REPOSITORY / "dist" / "served.json"

# A service is promoted before the services that call it, and rolled back after them.
_ORDER: Final = declared.callers_last(declared.SERVICES)

_IMAGE_CHANGE_SECONDS: Final = 900  # App Runner starts instances and waits until they are healthy.
_IMAGE_POLL_SECONDS: Final = 5


def callers_last(services: Iterable[str]) -> list[str]:
    """Return services in the order of their promotion; unknown services come first."""
    return sorted(services, key=lambda name: (_ORDER.index(name) if name in _ORDER else -1, name))


@dataclass(frozen=True)
class Alias:
    """An alias of a function, and the version that it points to.

    Attributes:
        function: Name of the function.
        alias: Name of the alias.
        version: Version that it points to.
        weights: Share of the requests that each other version gets, as a canary sets it.
    """

    function: str
    alias: str
    version: str
    weights: Mapping[str, float] = field(default_factory=dict)

    def split(self, version: str, share: float) -> None:
        """Send a share of the requests, between 0 and 1, to another version."""
        client("lambda").update_alias(
            FunctionName=self.function,
            Name=self.alias,
            FunctionVersion=self.version,
            RoutingConfig={"AdditionalVersionWeights": {version: share}},
        )

    def move(self, version: str) -> None:
        """Point the alias to a version, and check that it does."""
        client("lambda").update_alias(
            FunctionName=self.function,
            Name=self.alias,
            FunctionVersion=version,
            # Removes a canary's weights, which would send requests to other versions.
            RoutingConfig={"AdditionalVersionWeights": {}},
        )
        served = self.observed()
        if served.version != version:
            raise Refused(
                f"{self.function} still serves version {served.version} instead of {version}"
            )
        if served.weights:
            raise Refused(f"{self.function} still sends requests to {', '.join(served.weights)}")

    def observed(self) -> "Alias":
        """Return the alias as it is now."""
        return alias_of(self.function, self.alias)


def alias_of(function: str, alias: str) -> Alias:
    """Return a function's alias as it is now."""
    found = client("lambda").get_alias(FunctionName=function, Name=alias)
    weights = (found.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    return Alias(function, alias, str(found["FunctionVersion"]), dict(weights))


@dataclass(frozen=True)
class Serving:
    """What an environment serves at one moment; empty before the first deploy.

    Attributes:
        aliases: The alias of each service's function.
        newest: The version of each service that was published last.
        runner_service_arn: ARN of the App Runner service; None if the runner is a function.
        runner_image: Image of the App Runner service, by digest.
        parameter: Name of the SSM parameter that records the serving versions.
    """

    aliases: Mapping[str, Alias] = field(default_factory=dict)
    newest: Mapping[str, str] = field(default_factory=dict)
    runner_service_arn: str | None = None
    runner_image: str | None = None
    parameter: str | None = None

    @classmethod
    def now(cls, outputs: Mapping[str, Any]) -> Self:
        """Ask AWS what the functions and the service named in Terraform's outputs serve.

        The outputs themselves may be out of date: a rollback moves an alias without Terraform.
        """
        aliases = {
            service: alias_of(item["name"], item["alias"])
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
            parameter=outputs.get("serving_parameter"),
        )

    @classmethod
    def read(cls, path: Path, environment: str) -> Self:
        """Read a file that `write` wrote for an environment.

        Raises:
            Refused: The file belongs to another environment, or has another format.
        """
        content: Any = read_json(path)
        try:
            served_by = content.pop("environment")
            aliases = {service: Alias(**item) for service, item in content["aliases"].items()}
            serving = cls(**{**content, "aliases": aliases})
        except (KeyError, TypeError, AttributeError):
            raise Refused(f"{path} was not written by plan") from None
        if served_by != environment:
            raise Refused(f"{path} contains what {served_by} served, not {environment}")
        return serving

    def document(self) -> dict[str, Any]:
        """Return the fields as values that JSON can represent."""
        return asdict(self)

    def write(self, path: Path, environment: str) -> None:
        """Write the versions to a file, for a rollback of the environment."""
        write_json(path, {**self.document(), "environment": environment})

    def markdown(self, environment: str) -> str:
        """Return a table of services and versions."""
        if not self.aliases:
            return f"### {environment} serves nothing yet"
        rows = [
            f"| {service} | {alias.version}{_weights(alias)} |"
            for service, alias in self.aliases.items()
        ]
        if self.runner_image:
            rows.append(f"| runner | `{self.runner_image}` |")
        head = [f"### {environment} serves", "", "| service | version |", "|---|---|"]
        return "\n".join([*head, *rows])

    def live_versions(self) -> dict[str, str]:
        """Return Terraform's variable `live_versions` for a plan that moves no alias."""
        return {service: alias.version for service, alias in self.aliases.items()}

    def unfinished(self) -> list[str]:
        """Return a line for each alias that still splits its requests after a canary."""
        return [
            f"{service} sends{_weights(alias).removeprefix(',')}: a canary was not finished"
            for service, alias in sorted(self.aliases.items())
            if alias.weights
        ]

    def staged(self) -> dict[str, Alias]:
        """Return the services that serve an older version, each with its newest version."""
        return {
            service: Alias(alias.function, alias.alias, self.newest[service])
            for service, alias in self.aliases.items()
            if self.newest.get(service, alias.version) != alias.version
        }


def _weights(alias: Alias) -> str:
    return "".join(
        f", {share:.0%} of the requests to version {version}"
        for version, share in sorted(alias.weights.items())
    )


def move_image(service_arn: str, image: str) -> str:
    """Change the image of an App Runner service, wait for it, and return the previous image.

    Raises:
        Refused: App Runner kept another image, or did not finish within 15 minutes.
    """
    # App Runner refuses a change while it carries out another one, such as a deploy that failed.
    _wait_until_idle(service_arn)
    runner = client("apprunner")
    source = runner.describe_service(ServiceArn=service_arn)["Service"]["SourceConfiguration"]
    before = source["ImageRepository"]
    if before["ImageIdentifier"] != image:
        runner.update_service(
            ServiceArn=service_arn,
            SourceConfiguration={**source, "ImageRepository": {**before, "ImageIdentifier": image}},
        )
    status = _wait_until_idle(service_arn)
    if status != "RUNNING" or _image(service_arn) != image:
        raise Refused(f"{service_arn} is {status} and runs {_image(service_arn)}, not {image}")
    return str(before["ImageIdentifier"])


def _wait_until_idle(service_arn: str) -> str:
    deadline = time.monotonic() + _IMAGE_CHANGE_SECONDS
    while (status := _status(service_arn)) == "OPERATION_IN_PROGRESS":
        if time.monotonic() > deadline:
            raise Refused(f"{service_arn} is still changing after {_IMAGE_CHANGE_SECONDS} s")
        time.sleep(_IMAGE_POLL_SECONDS)
    return status


def _status(service_arn: str) -> str:
    service = client("apprunner").describe_service(ServiceArn=service_arn)["Service"]
    return str(service["Status"])


def _image(service_arn: str) -> str:
    service = client("apprunner").describe_service(ServiceArn=service_arn)["Service"]
    return str(service["SourceConfiguration"]["ImageRepository"]["ImageIdentifier"])
