"""HTML and PDF, read in a process of its own, which can be ended.

Parsers take what strangers wrote. One file can keep them busy for hours or fill the memory; a
thread cannot be stopped, a process can.
"""

import json
import os
import selectors
import subprocess
import sys
import time
from typing import Any, Final

from runner.extraction import Extract, ExtractionError, Kind, extract
from runner.parser import FRAME
from shared.errors import Unavailable

_START_SECONDS: Final = 10.0


class Reader:
    """Extracts text, in a process that is started when first needed and used again.

    Args:
        seconds: The longest time for one document to be opened, or one section to be read.
    """

    def __init__(self, *, seconds: float) -> None:
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._documents = 0
        self._closed = False

    def extract(self, content: bytes, kind: Kind) -> Extract:
        """Open a document, as `extraction.extract` does.

        Only the last document that was opened can be read.

        Raises:
            ExtractionError: As there, or it takes too long, or too much memory.
        """
        if kind in {"text", "markdown"}:
            return extract(content, kind)  # takes time by the byte, and no parser
        self._documents += 1
        opened = self._ask({"open": kind}, content)
        return _Remote(self, self._documents, opened)

    def section(self, document: int, index: int) -> str:
        """Return a section of the document that was opened last."""
        if document != self._documents or self._process is None:
            raise ExtractionError("it was closed")
        return str(self._ask({"section": index})["text"])

    def close(self) -> None:
        """End the process; a thread that waits for it gets an `ExtractionError`."""
        self._closed = True
        self._end()

    def _ask(self, request: dict[str, Any], content: bytes = b"") -> dict[str, Any]:
        process = self._process or self._start()
        try:
            answer = _exchange(process, request, content, self._seconds)
        except TimeoutError:
            self._end()
            raise ExtractionError(
                f"reading it takes longer than {self._seconds:g} s: split it or simplify it"
            ) from None
        except (OSError, EOFError, ValueError):
            self._end()
            raise ExtractionError(
                "reading it ended the parser; does it need too much memory?"
            ) from None
        if answer.get("exhausted"):
            self._end()
        if "error" in answer:
            raise ExtractionError(str(answer["error"]))
        return answer

    def _start(self) -> "subprocess.Popen[bytes]":
        if self._closed:
            raise ExtractionError("it was closed")
        # Whatever made this process's path (a zip's folder, a PEX) is not there for a child; and
        # what reads strangers' files needs no credentials.
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("AWS_")
        }
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "runner.parser"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
            )
            _exchange(self._process, {"ready": True}, b"", _START_SECONDS)
        except (OSError, EOFError, ValueError) as error:  # TimeoutError is an OSError
            self._end()
            raise Unavailable("The parsing process does not start.", retry_after=5) from error
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    # Closing flushes, and the other end is gone.
                    try:
                        pipe.close()
                    except OSError:
                        continue


class _Remote:
    """A document in the other process."""

    def __init__(self, reader: Reader, document: int, opened: dict[str, Any]) -> None:
        self.title: str | None = opened["title"]
        self.paged: bool = opened["paged"]
        self._sections: int = opened["sections"]
        self._reader = reader
        self._document = document

    def __len__(self) -> int:
        return self._sections

    def section(self, index: int) -> str:
        return self._reader.section(self._document, index)


def _exchange(
    process: "subprocess.Popen[bytes]", request: dict[str, Any], content: bytes, seconds: float
) -> dict[str, Any]:
    if process.stdin is None or process.stdout is None:
        raise EOFError
    ends = time.monotonic() + seconds
    head = json.dumps(request).encode()
    process.stdin.write(FRAME.pack(len(head), len(content)) + head)
    process.stdin.write(content)
    process.stdin.flush()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        length, _ = FRAME.unpack(_receive(process.stdout, selector, FRAME.size, ends))
        answer = json.loads(_receive(process.stdout, selector, length, ends))
    return dict(answer)


def _receive(pipe: Any, selector: selectors.BaseSelector, size: int, ends: float) -> bytes:
    received = bytearray()
    while len(received) < size:
        if not selector.select(max(0.0, ends - time.monotonic())):
            raise TimeoutError
        chunk = os.read(pipe.fileno(), size - len(received))
        if not chunk:
            raise EOFError
        received += chunk
    return bytes(received)
