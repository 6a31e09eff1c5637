"""Sets the retention of App Runner's log groups, which App Runner creates without one."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from deploy.aws import client
from deploy.program import parser, run
from deploy.terraform import FOLDER, Terraform


def set_retention(prefix: str, days: int) -> Iterator[str]:
    """Set the retention of the log groups with a prefix; yield the name of each that changed."""
    logs = client("logs")
    for page in logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix):
        for group in page["logGroups"]:
            if group.get("retentionInDays") != days:
                logs.put_retention_policy(logGroupName=group["logGroupName"], retentionInDays=days)
                yield str(group["logGroupName"])


def main(arguments: Sequence[str]) -> None:
    """Set the retention of Terraform's outputs; nothing is done if the runner is a function."""
    cli = parser(__doc__)
    cli.add_argument("--terraform", type=Path, default=FOLDER, help="folder of the Terraform files")
    args = cli.parse_args(arguments)
    if args.dry_run:
        print(f"would set the retention of App Runner's logs in {args.environment}")
        return
    outputs = Terraform(args.environment, args.terraform).outputs()
    arn = outputs["runner"]["service_arn"]
    if arn is None:
        print("the runner is a function: Terraform sets the retention of its log group")
        return
    # arn:aws:apprunner:REGION:ACCOUNT:service/NAME/ID
    name, identifier = arn.split("/")[-2:]
    days = outputs["log_retention_days"]
    for group in set_retention(f"/aws/apprunner/{name}/{identifier}/", days):
        print(f"{group}: {days} days")


if __name__ == "__main__":
    run(main)
