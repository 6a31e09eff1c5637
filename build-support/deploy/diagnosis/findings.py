"""Types that the doctor's checks share: the deployment that they examine, and their findings."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from deploy.aws import client
from deploy.terraform import FOLDER
from deploy.variables import Variables

type Severity = Literal["blocker", "warning"]


@dataclass(frozen=True)
class Finding:
    """Something wrong; `advice` says what to do."""

    check: str
    severity: Severity
    problem: str
    advice: str


@dataclass(frozen=True)
class Examined:
    """An account, and the environment that is to be deployed to it."""

    variables: Variables
    account: str
    folder: Path = FOLDER

    @property
    def partition(self) -> str:
        """The partition of the region, such as `aws-cn`."""
        return str(self.client("sts").meta.partition)

    def client(self, service: str) -> Any:
        """Return a client in the region of the environment."""
        return client(service, self.variables["aws_region"])


type Check = Callable[[Examined], Iterator[Finding]]


def blocker(problem: str, advice: str) -> Finding:
    """Return a finding that makes a deploy fail; the doctor adds the name of the check."""
    return Finding("", "blocker", problem, advice)


def warning(problem: str, advice: str) -> Finding:
    """Return a finding that somebody should know; the doctor adds the name of the check."""
    return Finding("", "warning", problem, advice)
