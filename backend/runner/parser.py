"""The child process that parses documents, `python -m runner.parser`; see `ParserProcess`.

Requests come on stdin, answers go to stdout. Both are frames: the sizes of head and content (two
32-bit big-endian integers), the head as JSON, the content as bytes. To start fast, this module
imports the extraction only.
"""

import json
import os
import struct
import sys
from typing import Any, BinaryIO, Final

from runner.extraction import extract
from runner.text import ExtractedText, ExtractionError

FRAME: Final = struct.Struct(">II")
MEMORY_BYTES: Final = 2**30
# Ends a process whose parent died while it was parsing.
_CPU_SECONDS: Final = 60


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until stdin is closed."""
    document: ExtractedText | None = None
    while header := requests.read(FRAME.size):
        head_size, content_size = FRAME.unpack(header)
        request = json.loads(requests.read(head_size))
        content = requests.read(content_size)
        answer: dict[str, Any]
        try:
            if "open" in request:
                document = None
                document = extract(content, request["open"], request["charset"])
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
            # Ask to be killed: too little memory may be left for the next document.
            answer = {"error": "reading it takes too much memory: split it", "exhausted": True}
        body = json.dumps(answer).encode()
        answers.write(FRAME.pack(len(body), 0) + body)
        answers.flush()


def _limit_resources() -> None:
    import resource

    for limit, value in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, _CPU_SECONDS),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            resource.setrlimit(limit, (value, value))
        except (OSError, ValueError):
            continue  # macOS does not support RLIMIT_AS


def main() -> None:
    """Run the child process."""
    _limit_resources()
    # Text that a parser prints would damage the answers on stdout: send it to stderr.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
