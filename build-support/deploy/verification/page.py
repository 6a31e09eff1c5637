"""docs/verified-on-aws.md: the verdicts of the last run in each environment, with its date."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Final

from deploy.program import REPOSITORY
from deploy.verification.claims import Claim, Outcome

PAGE: Final = REPOSITORY / "docs" / "verified-on-aws.md"
_SECTION: Final = re.compile(r"^## (\w+)\n\n(.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)
_NONE: Final = "No environment yet: every claim is **not yet tried on AWS**.\n"
_HEAD: Final = """\
# What was verified on AWS

No emulator can prove these claims. `./pants run build-support/deploy:verify -- --environment dev`
tries each in the account of your credentials, removes what it made for that, and writes this page.
*proven* means that AWS did what the claim says, at that date. *wrong* means that it did not. *not
tried* proves nothing, and says why. Until a claim is proven in an environment, other pages mark it
as *not yet tried on AWS*.

| claim | |
|---|---|
"""


def page(claims: Iterable[Claim], sections: Mapping[str, str]) -> str:
    """Return the page of the environments' sections."""
    text = _HEAD + "".join(f"| {claim.name} | {claim.text} |\n" for claim in claims)
    if not sections:
        return f"{text}\n{_NONE}"
    return text + "".join(f"\n## {name}\n\n{sections[name]}" for name in sorted(sections))


def section(outcomes: Iterable[Outcome], on: date, where: str) -> str:
    """Return the section of one run."""
    rows = "".join(
        f"| {outcome.claim.name} | {outcome.verdict} | {_cell(outcome.detail)} |\n"
        for outcome in outcomes
    )
    return f"On {on.isoformat()}, {where}.\n\n| claim | verdict | |\n|---|---|---|\n{rows}"


def written(file: Path) -> dict[str, str]:
    """Return the sections of a page that was written before."""
    if not file.is_file():
        return {}
    found = _SECTION.findall(file.read_text(encoding="utf-8"))
    return {name: text.rstrip("\n") + "\n" for name, text in found}


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
