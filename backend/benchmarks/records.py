"""Measures `records verify` over a local copy with three faults.

./pants run backend/benchmarks:records -- 100000
"""

import argparse
import tempfile
import time
from pathlib import Path

from records import copying
from records.copying import LocalCopy
from records.tests.made import MadeRecords, damage
from records.verification import lines, verify
from records.versions import RECORDS, SEALS


def main() -> None:
    """Make a copy, change a bit, remove a record, add a version, and verify it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("records", type=int, nargs="?", default=100_000)
    count = parser.parse_args().records
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copying.export(MadeRecords(count), folder, (RECORDS, SEALS))
        _break(folder, count)
        megabytes = sum(path.stat().st_size for path in folder.rglob("*.jsonl")) / 1e6
        began, cpu = time.perf_counter(), time.process_time()
        report = verify(LocalCopy(folder))
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    print(*lines(report, most=5), sep="\n")
    print(f"{count} records, {megabytes:.0f} MB: {seconds:.1f} s, {cpu:.1f} s of CPU")


def _break(folder: Path, count: int) -> None:
    versions = list(LocalCopy(folder).versions(RECORDS))
    damage(folder, *(versions[count * part // 4].key for part in (1, 2, 3)))


if __name__ == "__main__":
    main()
