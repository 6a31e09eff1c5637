"""Prints what the test reports of Pants add up to: `N passed, N failed, N skipped`.

Fails where a test failed, where there was none, and where Terraform's tests were skipped: they need
the terraform binary and its provider, and a CI without them would prove less than it says.
"""

import sys
from pathlib import Path
from xml.etree import ElementTree as ET

INDISPENSABLE = "Terraform cannot run here"


def main(folder: Path) -> int:
    """Read every JUnit report in a folder."""
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
    refused = any(INDISPENSABLE in reason for reason in reasons)
    if refused:
        print("Terraform's tests were skipped: install terraform and its provider, and run again")
    print(f"{passed} passed, {failed} failed, {totals['skipped']} skipped")
    return 1 if failed or refused or not totals["tests"] else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
