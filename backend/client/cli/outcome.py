"""How a command ends: its exit code, and the error that carries one."""

from enum import IntEnum
from typing import Final

from client import errors
from client.answers import GATEWAY


class Exit(IntEnum):
    """The exit codes, which docs/client.md describes."""

    DONE = 0
    NOT_DONE = 1
    """The service answered, and what was asked for is not done, or not in full."""
    USAGE = 2
    """Wrong arguments; argparse ends with it, too."""
    NOT_PERMITTED = 3
    """There is no key, or the key or the user may not do this."""
    NOT_FOUND = 4
    UNAVAILABLE = 5
    """Nothing answers, or it is overloaded; another attempt can succeed."""
    INTERRUPTED = 130
    """Ctrl-C."""


class CommandError(Exception):
    """A command cannot be carried out; the message says why and what to do.

    Args:
        detail: What happened.
        exit_code: How the program ends.
        request_id: The id of the failed request, which its log lines have.
    """

    def __init__(self, detail: str, exit_code: Exit, *, request_id: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.exit_code = exit_code
        self.request_id = request_id


_EXITS: Final = (
    (errors.Unauthenticated | errors.Forbidden, Exit.NOT_PERMITTED),
    (errors.NotFound, Exit.NOT_FOUND),
    (errors.InvalidRequest | errors.Validation, Exit.USAGE),
    (errors.TooManyRequests | errors.InternalError | errors.BadGateway, Exit.UNAVAILABLE),
    (errors.Unavailable | errors.GatewayTimeout | errors.NoAnswer, Exit.UNAVAILABLE),
)


def exit_of(error: errors.AdvisorError) -> Exit:
    """Return the exit code of an error of the typed client."""
    return next((code for kinds, code in _EXITS if isinstance(error, kinds)), Exit.NOT_DONE)


def command_error(error: errors.AdvisorError) -> CommandError:
    """Return an API's error with its exit code, and what the user can do."""
    exit_code, request_id = exit_of(error), None
    detail = str(error)
    if isinstance(error, errors.ApiError):
        request_id = error.request_id
        is_refused = exit_code is Exit.NOT_PERMITTED and error.code == GATEWAY
        advice = ": the gateway refused the API key, the token or the path" if is_refused else ""
        detail = f"{error.detail}{advice} (HTTP {error.status})"
    elif isinstance(error, errors.Unreachable):
        detail += ". Is API_GATEWAY_URL right, and does the gateway run?"
    elif isinstance(error, errors.UnexpectedAnswer):
        detail += ". Does API_GATEWAY_URL point to a gateway of this release?"
    return CommandError(detail, exit_code, request_id=request_id)
