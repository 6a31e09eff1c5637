"""Sets the retention of App Runner's own log groups, which it makes itself and keeps for ever."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from deploy.aws import client
from deploy.program import parser, run
from deploy.terraform import FOLDER, Terraform


def set_retention(prefix: str, days: int) -> Iterator[str]:
    """Set the retention of each group under a prefix where it differs, and yield their names."""
    logs = client("logs")
    for page in logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix):
        for group in page["logGroups"]:
            if group.get("retentionInDays") != days:
                logs.put_retention_policy(logGroupName=group["logGroupName"], retentionInDays=days)
                yield str(group["logGroupName"])


def main(arguments: Sequence[str]) -> None:
    """Read the retention from Terraform's outputs; nothing to do where the runner is a function."""
    found = parser(__doc__)
    found.add_argument("--terraform", type=Path, default=FOLDER, help="the layer's folder")
    given = found.parse_args(arguments)
    if given.dry_run:
        print(f"would set the retention of App Runner's logs in {given.environment}")
        return
    outputs = Terraform(given.environment, given.terraform).outputs()
    arn = outputs["runner"]["service_arn"]
    if arn is None:
        print("the runner is a function: its log group is Terraform's")
        return
    # arn:aws:apprunner:REGION:ACCOUNT:service/NAME/ID
    name, identifier = arn.split("/")[-2:]
    days = outputs["log_retention_days"]
    for group in set_retention(f"/aws/apprunner/{name}/{identifier}/", days):
        print(f"{group}: {days} days")


if __name__ == "__main__":
    run(main)
