"""How a command ends: its exit code, and the error that carries one."""

from enum import IntEnum


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
