"""The process that parses: `python -m runner.parser`, told what to do by `reader.py`.

Requests and answers are frames: the sizes of head and content (two 32-bit numbers, big-endian), a
head in JSON, the content as it is. It imports nothing but the extraction, to start fast.
"""

import json
import os
import struct
import sys
from typing import Any, BinaryIO, Final

from runner.extraction import Extract, ExtractionError, extract

FRAME: Final = struct.Struct(">II")
MEMORY_BYTES: Final = 2**30
# For a process whose parent is gone in the middle of a document.
_CPU_SECONDS: Final = 60


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until there are no more."""
    document: Extract | None = None
    while header := requests.read(FRAME.size):
        head_size, content_size = FRAME.unpack(header)
        request = json.loads(requests.read(head_size))
        content = requests.read(content_size)
        answer: dict[str, Any]
        try:
            if "open" in request:
                document = None
                document = extract(content, request["open"])
                answer = {
                    "title": document.title,
                    "paged": document.paged,
                    "sections": len(document),
                }
            elif "section" in request and document is not None:
                answer = {"text": document.section(request["section"])}
            else:
                answer = {}
        except ExtractionError as error:
            answer = {"error": str(error)}
        except MemoryError:
            document = None
            # What is left of this process's memory may not do for the next document.
            answer = {"error": "reading it takes too much memory: split it", "exhausted": True}
        body = json.dumps(answer).encode()
        answers.write(FRAME.pack(len(body), 0) + body)
        answers.flush()


def _confine() -> None:
    import resource

    for limit, value in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, _CPU_SECONDS),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            resource.setrlimit(limit, (value, value))
        except (OSError, ValueError):
            continue  # macOS knows no bound on memory


def main() -> None:
    """Be the process."""
    _confine()
    # What a parser prints must not get between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
