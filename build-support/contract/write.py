"""Writes what is made from the front door's routes: its document, Terraform's list, the client.

    ./pants run build-support/contract:write
    ./pants run build-support/contract:write -- --released    for the commit of a release

`--released` also makes the document the one that later changes are compared with.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from contract.changes import refusals
from contract.document import DOCUMENT, RELEASED, front_door, read, text_of
from contract.operations import FILE, gateway_operations
from contract.python_client import client_sources


def generated() -> dict[Path, str]:
    """Return the text of each generated file."""
    document = front_door()
    return {
        DOCUMENT: text_of(document),
        FILE: text_of(gateway_operations(document)),
        **client_sources(document),
    }


def main(arguments: Sequence[str]) -> int:
    """Write the files, unless a change breaks clients and the version does not say so."""
    raw = argparse.RawTextHelpFormatter
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    cli.add_argument("--released", action="store_true", help="compare later changes with this one")
    options = cli.parse_args(arguments)
    files = generated()
    if RELEASED.exists() and (broken := refusals(read(RELEASED), front_door())):
        print("These changes break programs that use the last release:", *broken, sep="\n  ")
        print("Undo them, or raise the first number of VERSION in contract/document.py.")
        return 1
    if options.released:
        files[RELEASED] = files[DOCUMENT]
    for path, text in files.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
