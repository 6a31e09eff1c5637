"""Removes a function: `./pants run build-support/scaffold:remove_service -- NAME`."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from scaffold import service, templates
from scaffold.changes import REPOSITORY
from scaffold.program import run


def main(arguments: Sequence[str], root: Path = REPOSITORY) -> None:
    """Remove the service, and print what stays in AWS."""
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("name")
    cli.add_argument(
        "--discard", action="store_true", help="remove files although git does not have them"
    )
    args = cli.parse_args(arguments)
    changes = service.removal(root, args.name, discard=args.discard)
    print(changes.summary())
    changes.make()
    print(_LEFT.format(name=args.name))
    if templates.TABLE.format(name=args.name) not in changes.removed():
        print(_TABLES.format(name=args.name))


_LEFT = """
{name} is removed from the repository. Where it is deployed, the next deploy deletes its function,
logs, alarms, API key and policies. These stay in AWS:
  its role, until bootstrap/ is applied, which has to follow the deploys of all environments;
  its secret, for secret_recovery_days: until then no other secret can have its name;
  its metrics, for up to 15 months, and its traces, for 30 days;
  what it stored itself.
If terraform/environments/*.tfvars gives it a quota, delete that: it would become a client's key."""

_TABLES = """
Terraform's tables have {name}: `./pants run terraform/tests:write_tables` takes it out."""


if __name__ == "__main__":
    run(main)
