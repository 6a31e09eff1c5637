"""Creates a developer's environment, or destroys it with everything in it.

`create NAME` prints what it costs, asks, and applies terraform/ with the role and the state of that
environment, which bootstrap/ has made. `destroy NAME` leaves nothing but the name in bootstrap.
"""

import argparse
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError

from cost.bill import fixed, per_volume
from cost.page import table
from cost.prices import Prices
from cost.usage import Question
from deploy.aws import client
from deploy.program import ENVIRONMENTS, Refused, confirm, environment_name, parser, run
from deploy.terraform import FOLDER, Terraform
from deploy.variables import Variables, backend_file

_TEMPLATE: Final = "developer.tfvars"
_SESSION_SECONDS: Final = 3600  # the role allows no more
_QUESTIONS: Final = 1_000


def estimate(questions: int) -> str:
    """Return what a month costs: the fixed part, and the part of a number of questions."""
    prices = Prices.read()
    lines = [
        *fixed(prices, "lambda"),
        *per_volume(prices, questions, Question(), 100.0, "geographic"),
    ]
    return (
        f"A month with {questions:,} questions, in {prices.region}, prices of {prices.as_of}:\n\n"
        + table({"a month": lines})
    )


def write_variables(name: str, folder: Path) -> Path:
    """Write environments/NAME.tfvars from the template, unless the developer has one already."""
    file = folder / "environments" / f"{name}.tfvars"
    if not file.exists():
        file.write_text(_rendered(name, folder))
    return file


def _rendered(name: str, folder: Path) -> str:
    template = (folder / "environments" / _TEMPLATE).read_text()
    return template.replace('environment = "NAME"', f'environment = "{name}"')


def require_listed(name: str, folder: Path) -> None:
    """Check that bootstrap has made the environment's state file.

    Raises:
        Refused: The name is that of an environment of everybody, or bootstrap does not know it.
    """
    if name in ENVIRONMENTS:
        raise Refused(f"{name} is an environment of everybody: docs/runbook.md says how to run it")
    if not backend_file(name, folder).is_file():
        raise Refused(
            f"terraform/environments/{name}.s3.tfbackend does not exist. Add {name} to "
            "developer_environments in bootstrap/accounts/, apply bootstrap/, and commit the file "
            "that it writes (docs/developing.md)"
        )


@contextmanager
def deploying_as(name: str, variables: Variables) -> Iterator[None]:
    """Assume the environment's deploy role for this program and for Terraform.

    Raises:
        Refused: These credentials may not assume it.
    """
    sts: Any = client("sts", variables["aws_region"])
    _, partition, _, _, account, *_ = sts.get_caller_identity()["Arn"].split(":")
    role = f"arn:{partition}:iam::{account}:role/{variables.prefix}-deploy"
    try:
        session = sts.assume_role(
            RoleArn=role, RoleSessionName=f"environment-{name}", DurationSeconds=_SESSION_SECONDS
        )["Credentials"]
    except ClientError as error:
        raise Refused(
            f"these credentials may not assume {role}: {error}. Add the ARN of your role or "
            f"user to developer_environments[{name!r}] of bootstrap/, and apply it"
        ) from error
    assumed = {
        "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
        "AWS_SESSION_TOKEN": session["SessionToken"],
    }
    before = {key: os.environ.get(key) for key in (*assumed, "AWS_PROFILE")}
    os.environ.update(assumed)
    os.environ.pop("AWS_PROFILE", None)  # it would win over the keys in Terraform
    try:
        yield
    finally:
        for key, value in before.items():
            os.environ.pop(key, None)
            if value is not None:
                os.environ[key] = value


def create(args: argparse.Namespace) -> None:
    """Create or update an environment.

    Raises:
        Refused: It may not be created, the developer did not agree, or Terraform failed.
    """
    print(estimate(args.questions))
    if args.dry_run:
        print(f"would apply terraform/ to {args.name}")
        return
    confirm(f"Create {args.name}?", yes=args.yes)
    write_variables(args.name, args.terraform)
    terraform = Terraform(args.name, args.terraform)
    with (
        deploying_as(args.name, Variables.read(args.name, args.terraform)),
        tempfile.TemporaryDirectory() as folder,
    ):
        terraform.init()
        # A plan contains API keys: the folder is this user's, and is deleted.
        plan = Path(folder) / "saved.tfplan"
        terraform.plan(plan, args.name, {}, quiet=True)
        terraform.apply(plan)
        outputs = terraform.outputs()
    print(
        f"{args.name} is at {outputs['api_gateway_url']}. Its key:\n"
        f"  aws secretsmanager get-secret-value --secret-id {outputs['api_key_secrets']['client']} "
        "--query SecretString --output text"
    )


def destroy(args: argparse.Namespace) -> None:
    """Destroy an environment with its data, secrets and logs.

    Raises:
        Refused: The developer did not agree, or Terraform failed.
    """
    if args.dry_run:
        print(f"would destroy {args.name}: every resource, document, secret and log")
        return
    confirm(f"Destroy {args.name} with every document, secret and log in it?", yes=args.yes)
    file = write_variables(args.name, args.terraform)
    terraform = Terraform(args.name, args.terraform)
    with deploying_as(args.name, Variables.read(args.name, args.terraform)):
        terraform.init()
        terraform.destroy()
    if file.read_text() == _rendered(args.name, args.terraform):
        file.unlink()
    print(
        f"{args.name} is destroyed. If it will not be created again, take it out of "
        "developer_environments and apply bootstrap/, which deletes its roles"
    )


def main(arguments: Sequence[str]) -> None:
    """Create or destroy an environment."""
    cli = parser(__doc__, environment=False)
    cli.formatter_class = argparse.RawDescriptionHelpFormatter
    cli.add_argument("--terraform", type=Path, default=FOLDER, help="folder of the Terraform files")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("name", type=environment_name, help="as in developer_environments")
    common.add_argument("--yes", action="store_true", help="do not ask")
    common.add_argument("--dry-run", action="store_true", default=argparse.SUPPRESS)
    commands = cli.add_subparsers(dest="what", required=True)
    creation = commands.add_parser("create", parents=[common], help="create or update it")
    creation.add_argument("--questions", type=int, default=_QUESTIONS, help="a month, for the cost")
    commands.add_parser("destroy", parents=[common], help="destroy it and its data")
    args = cli.parse_args(arguments)
    require_listed(args.name, args.terraform)
    (create if args.what == "create" else destroy)(args)


if __name__ == "__main__":
    run(main)
