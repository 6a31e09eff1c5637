"""Keeps glibc from holding on to the memory of files that were read and freed.

After it freed a block of some MiB once, glibc takes later blocks of that size from heaps, one for
each thread, and keeps tens of MiB of each when they are freed. The threads that load segments would
so keep as much memory as four segments take.
"""

import ctypes
import sys
from typing import Final

_M_MMAP_THRESHOLD: Final = -3
_LARGE_BYTES: Final = 128 * 1024  # glibc's own first value


def return_large_blocks() -> None:
    """Return large blocks to the system as soon as they are freed. Only glibc needs it."""
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)):
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)  # a value that is set does not grow
