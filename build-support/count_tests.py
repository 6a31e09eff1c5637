"""Prints the totals of Pants' test reports: `N passed, N failed, N skipped`.

Fails if a test failed, if there was none, or if Terraform's tests were skipped, which need the
terraform binary and its provider: CI must not pass without them.
"""

import sys
from pathlib import Path
from xml.etree import ElementTree as ET

REQUIRED = "Terraform cannot run here"


def main(folder: Path) -> int:
    """Read every JUnit report in a folder, print the totals, and return the exit code."""
    totals = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    reasons: dict[str, int] = {}
    for report in sorted(folder.glob("*.xml")):
        for suite in ET.parse(report).getroot().iter("testsuite"):  # noqa: S314 - our own files
            for name in totals:
                totals[name] += int(suite.get(name, 0))
            for skipped in suite.iter("skipped"):
                reason = skipped.get("message", "no reason given")
                reasons[reason] = reasons.get(reason, 0) + 1
    for reason, times in sorted(reasons.items()):
        print(f"skipped {times}: {reason}")
    failed = totals["failures"] + totals["errors"]
    passed = totals["tests"] - failed - totals["skipped"]
    terraform_skipped = any(REQUIRED in reason for reason in reasons)
    if terraform_skipped:
        print("Terraform's tests were skipped: install terraform and its provider, and run again")
    print(f"{passed} passed, {failed} failed, {totals['skipped']} skipped")
    return 1 if failed or terraform_skipped or not totals["tests"] else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
