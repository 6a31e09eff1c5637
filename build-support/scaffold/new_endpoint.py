"""Adds an endpoint: `./pants run build-support/scaffold:new_endpoint -- SERVICE NAME`."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from scaffold import endpoint
from scaffold.changes import REPOSITORY
from scaffold.program import run


def main(arguments: Sequence[str], root: Path = REPOSITORY) -> None:
    """Write model, route and test, and print what to do next."""
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("service", help="a service behind the gateway")
    cli.add_argument("name", help="lower-case words joined by _, such as open_invoices")
    args = cli.parse_args(arguments)
    changes = endpoint.addition(root, args.service, args.name)
    print(changes.summary())
    changes.make()
    path = args.name.replace("_", "-")
    print(f"\nGET /{args.service}/{path} answers with an empty list. Next: write its model in")
    print(
        "models.py, and let the route call the module that does its work. The gateway is unchanged."
        "\n`./pants run terraform/tests:write_tables` writes its scope into Terraform's tables."
    )


if __name__ == "__main__":
    run(main)
