"""Writes down what an environment serves, before a deploy changes it: where a rollback goes to."""

from collections.abc import Sequence
from pathlib import Path

from deploy.program import REPOSITORY, parser, run, summarise
from deploy.terraform import FOLDER, Terraform
from deploy.traffic import Serving

FILE = REPOSITORY / "dist" / "serving.json"


def main(arguments: Sequence[str]) -> None:
    """Write dist/serving.json."""
    found = parser(__doc__)
    found.add_argument("--output", type=Path, default=FILE)
    found.add_argument("--terraform", type=Path, default=FOLDER, help="the layer's folder")
    given = found.parse_args(arguments)
    if given.dry_run:
        print(f"would write what {given.environment} serves to {given.output}")
        return
    terraform = Terraform(given.environment, given.terraform)
    terraform.init()
    serving = Serving.now(terraform.outputs())
    serving.write(given.output)
    summarise(describe(given.environment, serving))


def describe(environment: str, serving: Serving) -> str:
    """Return what an environment serves, as Markdown."""
    if not serving.aliases:
        return f"### {environment} serves nothing yet"
    rows = [f"| {service} | {alias.version} |" for service, alias in serving.aliases.items()]
    if serving.runner_image:
        rows.append(f"| runner | `{serving.runner_image}` |")
    return "\n".join([f"### {environment} serves", "", "| service | version |", "|---|---|", *rows])


if __name__ == "__main__":
    run(main)
