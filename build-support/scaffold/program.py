"""What the programs share: arguments, errors, and what they print at the end."""

import sys
from collections.abc import Callable, Sequence

from scaffold.changes import Refused


def run(main: Callable[[Sequence[str]], None]) -> None:
    """Run a program with the command line's arguments; print a `Refused` and exit with code 1."""
    try:
        main(sys.argv[1:])
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        sys.exit(1)
