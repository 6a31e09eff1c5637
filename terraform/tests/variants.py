"""The variables of each plan that the tables cover: an environment's file, or one of `variants/`.

What the environments leave off, the files in `tests/variants/` of a layer switch on, and the other
way round.
"""

import re
from pathlib import Path
from typing import Final

REGIONS: Final = {"arm": "eu-central-1"}
# The environment of each plan. A plan of bootstrap/ has several.
ENVIRONMENTS: Final = {
    "dev": "dev",
    "test": "test",
    "prod": "prod",
    "options": "prod",
    "off": "test",
    "arm": "dev",
    "developer": "anna",
}
_BOOTSTRAP: Final = ("default", "existing", "bare", "developers")
_IMAGE: Final = "123456789012.dkr.ecr.{region}.amazonaws.com/fin-advisor/runner@sha256:" + "a" * 64
_EMAILS: Final = '\nalarm_emails = ["oncall@example.com"]\n'


def variants(layer: str) -> tuple[str, ...]:
    """Return the names of a layer's plans, those that find most mistakes first."""
    return tuple(ENVIRONMENTS) if layer == "terraform" else _BOOTSTRAP


def variables(layer: str, folder: Path, name: str) -> str:
    """Return the variables of a plan as the text of a `.tfvars` file."""
    file = folder / "environments" / f"{name}.tfvars"
    if not file.exists():
        file = folder / "tests" / "variants" / f"{name}.tfvars"
    text = file.read_text().replace('"NAME"', f'"{ENVIRONMENTS.get(name)}"')
    if layer == "bootstrap":
        return text
    if name == "prod":
        text += _EMAILS
    image = _IMAGE.format(region=REGIONS.get(name, "us-east-1"))
    fixed = {"package_dir": "tests/packages", "runner_image": image}
    return text + "".join(
        f'{key} = "{value}"\n'
        for key, value in fixed.items()
        if not re.search(rf"^{key}\s*=", text, re.MULTILINE)
    )
