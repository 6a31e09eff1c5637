"""Passes prod's plan from the job that makes it to the job that applies it after the approval.

`store` writes the plan into the state bucket and outputs the version of the object and its SHA-256.
`fetch` reads that version, and refuses it unless commit, packages and Terraform are those of the
plan, and the environment is as it was. A plan contains secrets, so it is no artifact of the run.
"""

import argparse
import hashlib
import io
import tarfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from deploy.aws import client
from deploy.manifest import NAME, Manifest
from deploy.plan import FILE, discard, label_of, origin
from deploy.program import REPOSITORY, Refused, parser, read_json, run, set_outputs, summarise
from deploy.terraform import FOLDER, Terraform
from deploy.traffic import SERVED, Serving
from deploy.variables import backend, backend_file

_MAX_BYTES: Final = 100_000_000
_MAX_AGE: Final = timedelta(days=1)  # bootstrap/state.tf deletes plans after this time
_AGAIN: Final = (
    "Run the workflow Deploy for this release and environment: it plans and asks for an approval "
    "again"
)


def store(bucket: str, environment: str, plan: Path) -> dict[str, str]:
    """Write a saved plan and its label to the bucket; return the object's version and SHA-256."""
    label_of(plan, environment)
    content = _pack(plan)
    answer = client("s3").put_object(
        Bucket=bucket, Key=_key(environment), Body=content, ServerSideEncryption="AES256"
    )
    return {"version": answer["VersionId"], "sha256": hashlib.sha256(content).hexdigest()}


def fetch(bucket: str, environment: str, *, version: str, digest: str, plan: Path) -> Any:
    """Write a stored plan and its label to files, and return the label.

    Raises:
        Refused: The object does not exist any more, or is not the one with this SHA-256.
    """
    s3 = client("s3")
    try:
        answer = s3.get_object(Bucket=bucket, Key=_key(environment), VersionId=version)
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] not in ("NoSuchKey", "NoSuchVersion"):
            raise
        raise Refused(f"the plan has expired. {_AGAIN}") from None
    if datetime.now(UTC) - answer["LastModified"] > _MAX_AGE:
        raise Refused(f"the plan has expired. {_AGAIN}")
    content = answer["Body"].read(_MAX_BYTES + 1)
    if hashlib.sha256(content).hexdigest() != digest:
        raise Refused(f"the stored plan is not the one with the SHA-256 {digest}")
    _unpack(content, plan)
    return read_json(plan.with_suffix(".json"))


def check(label: Mapping[str, Any], folder: Path, terraform: Terraform, serving: Serving) -> None:
    """Check that a plan is of this release and of the environment as it is now.

    Raises:
        Refused: Another commit, other packages, another Terraform, or a stale plan.
    """
    for name, value in origin(folder, Manifest.read(folder / NAME), terraform).items():
        if label[name] != value:
            raise Refused(f"the plan has the {name} {label[name]}, but this job has {value}")
    if label["state"] != terraform.state_id() or label["served"] != serving.document():
        raise Refused(f"the environment has changed since the plan was made. {_AGAIN}")


def _key(environment: str) -> str:
    return f"plans/{environment}/saved.tar"


def _pack(plan: Path) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for path in (plan, plan.with_suffix(".json")):
            tar.add(path, path.name)
    return archive.getvalue()


def _unpack(content: bytes, plan: Path) -> None:
    names = {path.name: path for path in (plan, plan.with_suffix(".json"))}
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        for name, path in names.items():
            file = tar.extractfile(name)
            if file is None:
                raise Refused(f"the stored plan has no {name}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.read())


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    cli = parser(__doc__)
    cli.add_argument("action", choices=("store", "fetch"))
    cli.add_argument("--object-version", default="", help="output of store; for fetch")
    cli.add_argument("--sha256", default="", help="output of store; for fetch")
    cli.add_argument("--plan", type=Path, default=FILE)
    cli.add_argument(
        "--folder", type=Path, default=REPOSITORY / "dist", help="folder of the release"
    )
    cli.add_argument("--served", type=Path, default=SERVED, help="file to save what serves to")
    cli.add_argument("--terraform", type=Path, default=FOLDER, help="folder of the Terraform files")
    return cli.parse_args(arguments)


def main(arguments: Sequence[str]) -> None:
    """Store the plan of dist/, or fetch one for `apply` and save what serves for `rollback`."""
    args = _arguments(arguments)
    if args.dry_run:
        print(f"would {args.action} the plan of {args.environment}")
        return
    terraform = Terraform(args.environment, args.terraform)
    bucket = backend(args.environment, args.terraform).get("bucket")
    if not bucket:
        file = backend_file(args.environment, args.terraform)
        raise Refused(f"{file} names no bucket: apply bootstrap/, which writes it")
    if args.action == "store":
        set_outputs(store(bucket, args.environment, args.plan))
        discard(args.plan)
        return
    discard(args.plan)
    terraform.init()
    serving = Serving.now(terraform.outputs())
    try:
        label = fetch(
            bucket,
            args.environment,
            version=args.object_version,
            digest=args.sha256,
            plan=args.plan,
        )
        check(label, args.folder, terraform, serving)
    except BaseException:
        discard(args.plan)
        raise
    serving.write(args.served, args.environment)
    summarise(serving.markdown(args.environment))


if __name__ == "__main__":
    run(main)
