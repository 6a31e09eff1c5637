"""Restores what an environment has lost: objects of a bucket, or its Terraform state.

Prints what it would do and asks. It deletes no content, so that a restore can be undone by another.
"""

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from deploy.aws import client
from deploy.program import Refused, confirm, parser, run
from deploy.restoration import bucket as buckets
from deploy.restoration.state import StateObject
from deploy.terraform import FOLDER
from deploy.variables import Variables, backend, backend_file

_RECORDS: Final = "records"
BUCKETS: Final = ("vectors", "jobs", _RECORDS)
_SHOWN: Final = 20


def point_in_time(text: str) -> datetime:
    """Parse a time with its time zone.

    Raises:
        argparse.ArgumentTypeError: It has another form, no time zone, or is in the future.
    """
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise argparse.ArgumentTypeError("write a time with its zone: 2026-11-28T09:30:00Z")
    if time > datetime.now(UTC):
        raise argparse.ArgumentTypeError("this time has not come yet")
    return time.astimezone(UTC)


def restore_bucket(s3: Any, bucket: str, args: argparse.Namespace) -> None:
    """Bring a bucket back to a point in time.

    Raises:
        Refused: It is not possible, or the operator did not agree.
    """
    planned = buckets.changes(s3, bucket, args.at, args.prefix, args.limit)
    if args.name == _RECORDS:
        # They are written once, so later ones are no mistake. Only deleted ones are brought back.
        planned = [change for change in planned if change.kind == "undeleted"]
    for change in planned[:_SHOWN]:
        print(change)
    if len(planned) > _SHOWN:
        print(f"and {len(planned) - _SHOWN} more objects")
    if not planned:
        print(f"{bucket} is as it was at {args.at.isoformat()}: nothing to do")
        return
    if args.dry_run:
        print(f"would restore {len(planned)} objects of {bucket}")
        return
    confirm(f"Restore {len(planned)} objects of {bucket}?", yes=args.yes)
    done = buckets.restore(s3, bucket, planned)
    print(f"{bucket}: " + ", ".join(f"{count} {kind}" for kind, count in sorted(done.items())))


def restore_state(s3: Any, args: argparse.Namespace) -> None:
    """Bring the environment's state back to a point in time.

    Raises:
        Refused: It is not possible, or the operator did not agree.
    """
    named = backend(args.environment, args.terraform)
    if not {"bucket", "key"} <= named.keys():
        file = backend_file(args.environment, args.terraform)
        raise Refused(f"{file} does not name the state's bucket and key: apply bootstrap/")
    stored = StateObject(s3, named["bucket"], named["key"])
    state = stored.at(args.at)
    if stored.is_current(state):
        print(f"{named['key']} is this state already: {state}")
        return
    if args.dry_run:
        print(f"would restore {named['key']} to {state}")
        return
    confirm(f"Restore {named['key']} to {state}?", yes=args.yes)
    stored.restore(state)
    print(
        f"{named['key']} is restored to {state}. Run `terraform plan` before anything else: what "
        "was created later is not in this state, and docs/restore.md says how it gets there"
    )


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    cli = parser(__doc__)
    cli.add_argument("--terraform", type=Path, default=FOLDER, help="folder of the Terraform files")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--at", type=point_in_time, required=True, help="2026-11-28T09:30:00Z")
    common.add_argument("--yes", action="store_true", help="do not ask")
    # After the name too, where an operator adds it. It must not reset what stands before.
    common.add_argument("--dry-run", action="store_true", default=argparse.SUPPRESS)
    commands = cli.add_subparsers(dest="what", required=True)
    bucket = commands.add_parser("bucket", parents=[common], help="the objects of a bucket")
    bucket.add_argument("name", choices=BUCKETS)
    bucket.add_argument("--prefix", default="", help="only keys that begin with it")
    bucket.add_argument("--limit", type=int, default=10_000, help="most objects to change")
    commands.add_parser("state", parents=[common], help="the environment's Terraform state")
    return cli.parse_args(arguments)


def main(arguments: Sequence[str]) -> None:
    """Restore a bucket or the state."""
    args = _arguments(arguments)
    variables = Variables.read(args.environment, args.terraform)
    s3 = client("s3", variables["aws_region"])
    if args.what == "state":
        restore_state(s3, args)
        return
    account = client("sts", variables["aws_region"]).get_caller_identity()["Account"]
    name = f"{variables.prefix}-{args.name}-{account}-{variables['aws_region']}"
    restore_bucket(s3, name, args)


if __name__ == "__main__":
    run(main)
