"""The command-line client: `./pants run backend/client:advisor -- COMMAND`; see docs/client.md."""

import contextlib
import os
import sys
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.text import Text

from client.cli.commands import Commands
from client.cli.options import parser
from client.cli.outcome import CommandError, Exit


def main(
    arguments: Sequence[str] | None = None, environment: Mapping[str, str] | None = None
) -> int:
    """Carry out a command and return its exit code."""
    options = parser().parse_args(arguments)
    output, notes = Console(), Console(stderr=True)
    environment = os.environ if environment is None else environment
    try:
        return Commands(options, environment, output, notes).run()
    except CommandError as error:
        reference = f" Request {error.request_id}." if error.request_id else ""
        notes.print(Text(f"{error.detail}{reference}", "red"))
        return error.exit_code
    except KeyboardInterrupt:
        notes.print("Interrupted.")
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # The reader of the output, such as `head`, has ended. Python would report it again at exit.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.DONE


if __name__ == "__main__":
    sys.exit(main())
