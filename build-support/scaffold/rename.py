"""Gives the project your name: `./pants run build-support/scaffold:rename -- my-project`.

It replaces the name in every file but the changelog, and records in .origin.json which commit the
repository came from, so that later changes of its origin can be merged.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from scaffold import project
from scaffold.changes import REPOSITORY
from scaffold.program import run


def main(arguments: Sequence[str], root: Path = REPOSITORY) -> None:
    """Replace the name, and print what to do next."""
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("name", help="3 to 16 lower-case letters, digits and hyphens")
    cli.add_argument(
        "--commit", help="the commit that you copied, if your repository has another history"
    )
    args = cli.parse_args(arguments)
    changes = project.renaming(root, args.name, args.commit)
    changes.make()
    print(f"{len(changes.edited())} files have the new name. Next:")
    print("  git diff                             shows them")
    print("  ./pants test :: && ./pants lint ::   checks them")
    print("  git add --all && git commit          keeps them, and the record of the origin")


if __name__ == "__main__":
    run(main)
