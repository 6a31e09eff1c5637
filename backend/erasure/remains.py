"""Lists what is left of a document that was deleted or replaced, and when each goes.

./pants run backend/erasure:remains -- DOCUMENT_ID --vectors-bucket BUCKET --jobs-bucket BUCKET

It reads every version of every segment. Exit codes: 0 nothing is left; 1 something is; 2 the
command is wrong; 3 AWS refused or does not answer.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from erasure import jobs, vectors
from erasure.documents import Remnant, Wanted
from erasure.versions import VersionedBucket
from shared.aws.clients import aws_client
from shared.errors import ServiceError

LEFT, AWS_FAILED = 1, 3
_READ_SECONDS = 30.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the list and return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        found = _remnants(options)
    except ServiceError as error:
        print(f"remains: {error.detail}", file=sys.stderr)
        return AWS_FAILED
    for one in found:
        advice = f" ({one.advice})" if one.advice else ""
        print(f"{one.key} version {one.version}: {one.what}; {_end(one)}{advice}")
    if not found:
        print(f"Nothing is left of {options.document_id}.")
        return 0
    ends = [one.ends for one in found if one.ends is not None]
    staying = len(found) - len(ends)
    last = f"; the last of the others goes on {max(ends):%Y-%m-%d}" if ends else ""
    print(f"Versions left: {len(found)}, of which {staying} stay as long as nothing is done{last}.")
    return LEFT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="remains",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("document_id", help="the id by which it was stored and deleted")
    for option, variable, purpose in (
        ("--vectors-bucket", "VECTOR_BUCKET_NAME", "segments; leave it out with s3vectors"),
        ("--jobs-bucket", "JOBS_BUCKET_NAME", "jobs and uploads"),
    ):
        parser.add_argument(
            option,
            default=os.environ.get(variable),
            help=f"the bucket of {purpose} ({variable})",
        )
    return parser


def _remnants(options: argparse.Namespace) -> list[Remnant]:
    wanted = Wanted(options.document_id)
    client = aws_client("s3", read_timeout_seconds=_READ_SECONDS)
    found: list[Remnant] = []
    if options.vectors_bucket:
        bucket = VersionedBucket(options.vectors_bucket, client)
        found += vectors.remnants(bucket, wanted, now=datetime.now(UTC))
    if options.jobs_bucket:
        found += jobs.remnants(VersionedBucket(options.jobs_bucket, client), wanted)
    if not (options.vectors_bucket or options.jobs_bucket):
        _parser().error("name a bucket: --vectors-bucket, --jobs-bucket, or both")
    return found


def _end(remnant: Remnant) -> str:
    if remnant.ends is None:
        return "stays"
    return f"gone on {remnant.ends:%Y-%m-%d}"


if __name__ == "__main__":
    sys.exit(main())
