"""Adds a function behind the gateway: `./pants run build-support/scaffold:new_service -- NAME`."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from scaffold import service
from scaffold.changes import REPOSITORY
from scaffold.program import run


def main(arguments: Sequence[str], root: Path = REPOSITORY) -> None:
    """Write the service, and print what to do next."""
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("name", help="2 to 16 lower-case letters and digits, such as billing")
    cli.add_argument("--calls", default="", help="services that it calls, such as chat,s3vector")
    args = cli.parse_args(arguments)
    calls = [called for called in args.calls.split(",") if called]
    changes = service.addition(root, args.name, calls)
    print(changes.summary())
    changes.make()
    print(_NEXT.format(name=args.name))


_NEXT = """
{name} is complete, and answers /{name}/health and /{name}/about. Next:
  ./pants test backend/{name}::
    runs its tests
  ./pants run backend/local:up -- --reload
    serves it with all others
  ./pants run build-support/scaffold:new_endpoint -- {name} NAME
    adds an endpoint
Its permissions are in terraform/lambda-{name}.tf; its memory, timeout and quota in services.json.
terraform/tests/tables/service-{name}.json has what Terraform plans for it, and the tests compare
both: after a change of either, `./pants run terraform/tests:write_tables` writes the tables anew.
To deploy it, apply bootstrap/ first: it creates the role that terraform/ looks up."""


if __name__ == "__main__":
    run(main)
