"""Asks whether packages of 3rdparty/python/default.lock have known vulnerabilities.

Exits with 0 if none has one, 1 if one has, and 75 if the database could not be asked: no answer is
no good news.
"""

import argparse
import sys
from pathlib import Path

from vulnerabilities.advisories import Auditor, CouldNotAskError, locked, pip_audit, vulnerabilities

COULD_NOT_ASK = 75  # EX_TEMPFAIL of sysexits.h
_LOCK = Path(__file__).resolve().parents[2] / "3rdparty/python/default.lock"


def main(arguments: list[str], auditor: Auditor = pip_audit) -> int:
    """Print what was found and return the exit code."""
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--lock", type=Path, default=_LOCK)
    lock = cli.parse_args(arguments).lock
    packages = locked(lock.read_text(encoding="utf-8"))
    try:
        found = vulnerabilities(packages, auditor)
    except CouldNotAskError as error:
        print(f"could not ask about known vulnerabilities: {error}", file=sys.stderr)
        return COULD_NOT_ASK
    if found:
        print("\n".join(str(one) for one in found), file=sys.stderr)
        print("Raise the lower bounds in 3rdparty/python/requirements.txt and lock again.")
        return 1
    print(f"{len(packages)} locked packages have no known vulnerability")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
