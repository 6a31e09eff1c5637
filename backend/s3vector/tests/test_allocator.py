"""A process that has read large files keeps no memory of them."""

import os
import subprocess
import sys

import pytest

_FREE_BLOCKS = """
import resource
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from s3vector.allocator import return_large_blocks

return_large_blocks()
barrier = Barrier(4)


def free_some(_):
    for size in (30, 29, 28):
        barrier.wait()
        block = b"x" * (size * 2**20)
        del block


with ThreadPoolExecutor(4) as pool:
    list(pool.map(free_some, range(4)))
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    print(pages * resource.getpagesize() // 2**20)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
def test_freed_blocks_are_returned_to_the_system() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", _FREE_BLOCKS],
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert int(ran.stdout) < 60
