"""What the claims share: the account, what a trial makes and removes, and the verdicts.

A proof returns what it observed. It raises `CheckFailed` if the claim is wrong, and `NotTried` if
it cannot be tried in this account.
"""

import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError
from httpx import HTTPError

from deploy.checks import CheckFailed
from deploy.diagnosis.findings import Check, Examined

type Verdict = Literal["proven", "wrong", "not tried"]
type Proof = Callable[["Trial"], str]
type Note = Callable[[str, Callable[[], object]], None]

_TOO_MANY: Final = ("TooManyRequestsException",)
# Codes of errors that end when what was made just before is known everywhere.
_LATER: Final = (*_TOO_MANY, "AccessDenied", "InvalidParameterValueException")
_POLL_SECONDS: Final = 2.0
_AWS: Final = re.compile(r"(^|\.)amazonaws\.com(\.cn)?$")


class NotTried(Exception):
    """The claim cannot be tried here; the message says why."""


@dataclass(frozen=True)
class Claim:
    """Something that the documentation says of AWS."""

    name: str
    text: str
    proof: Proof


@dataclass(frozen=True)
class Outcome:
    """The verdict on a claim; `detail` is what was observed, or why it was not tried."""

    claim: Claim
    verdict: Verdict
    detail: str


@dataclass
class Trial:
    """The account in which claims are tried.

    Attributes:
        examined: The account and the environment.
        patience_seconds: How long a trial waits for what AWS does with a delay.
        left: What could not be removed.
    """

    examined: Examined
    patience_seconds: float = 120
    left: list[str] = field(default_factory=list)

    def client(self, service: str) -> Any:
        """Return a client in the region of the environment."""
        return self.examined.client(service)

    @property
    def environment(self) -> str:
        return self.examined.variables.environment

    @property
    def prefix(self) -> str:
        return self.examined.variables.prefix

    @property
    def tags(self) -> dict[str, str]:
        """Tags of what a trial makes in the environment's name."""
        return {
            "Project": self.examined.variables["project_name"],
            "Environment": self.environment,
            "Purpose": "verify",
        }

    @property
    def endpoint(self) -> str:
        return str(self.client("sts").meta.endpoint_url)

    @property
    def is_aws(self) -> bool:
        """Whether requests go to AWS itself."""
        return _AWS.search(urlsplit(self.endpoint).hostname or "") is not None

    def new_name(self) -> str:
        """Return a name that nothing in the account has."""
        return f"{self.prefix}-verify-{secrets.token_hex(4)}"

    @contextmanager
    def made(self) -> Iterator[Note]:
        """Yield a function to call for each thing made, with its name and what removes it.

        They are removed in reverse order. What cannot be removed is listed in `left`.
        """
        with ExitStack() as stack:

            def note(name: str, remove: Callable[[], object]) -> None:
                stack.callback(self._remove, name, remove)

            yield note

    def _remove(self, name: str, remove: Callable[[], object]) -> None:
        try:
            self.later(remove, _TOO_MANY)
        except (BotoCoreError, ClientError) as error:
            self.left.append(f"{name}: {error}")

    def later[T](self, call: Callable[[], T], codes: tuple[str, ...] = _LATER) -> T:
        """Call AWS again while it does not know what was just made, or has had too many calls."""
        deadline = time.monotonic() + self.patience_seconds
        while True:
            try:
                return call()
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if not code.startswith(codes) or time.monotonic() > deadline:
                    raise
            time.sleep(_POLL_SECONDS)

    def decide(self, claim: Claim) -> Outcome:
        """Try a claim. An emulator proves nothing, because it may accept what AWS refuses."""
        try:
            detail = claim.proof(self)
        except CheckFailed as failure:
            return Outcome(claim, "wrong", str(failure))
        except NotTried as reason:
            return Outcome(claim, "not tried", str(reason))
        except (BotoCoreError, ClientError, HTTPError) as error:
            return Outcome(claim, "not tried", f"{type(error).__name__}: {error}")
        if not self.is_aws:
            return Outcome(claim, "not tried", f"{self.endpoint} is not AWS; there: {detail}")
        return Outcome(claim, "proven", detail)


def without_findings(check: Check, examined: Examined) -> None:
    """Run a check of the doctor.

    Raises:
        CheckFailed: It found something.
    """
    if found := list(check(examined)):
        raise CheckFailed("; ".join(f"{each.problem}. {each.advice}" for each in found))
