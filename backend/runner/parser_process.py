"""Parses HTML and PDF in a child process, which can be killed.

Documents are untrusted: one file can keep a parser busy for hours or exhaust the memory. A thread
cannot be stopped, a process can.
"""

import json
import os
import selectors
import subprocess
import sys
import time
from typing import Any, Final

from runner.extraction import Kind, extract, kind_of_content
from runner.parser import FRAME
from runner.text import ExtractedText, ExtractionError
from shared.errors import Unavailable

_START_SECONDS: Final = 10.0


class ParserEnded(ExtractionError):
    """A document took too much time or memory, so that its process was ended."""


class ParserProcess:
    """Extracts text in a child process, which is started at first use and reused.

    Args:
        seconds: The longest time for opening a document, or reading one section.
    """

    def __init__(self, *, seconds: float) -> None:
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._documents = 0
        self._closed = False

    def extract(self, content: bytes, kind: Kind, charset: str = "") -> ExtractedText:
        """Extract the text of a document, like `extraction.extract`.

        Only the document that was opened last can be read.

        Raises:
            ExtractionError: No text can be extracted, or it takes too much time or memory.
        """
        kind = kind_of_content(content, kind)
        if kind in {"text", "markdown"}:
            # No parser, so time and memory are linear in the size.
            return extract(content, kind, charset)
        self._documents += 1
        opened = self._request({"open": kind, "charset": charset}, content)
        return _RemoteText(self, self._documents, opened)

    def section(self, document: int, index: int) -> str:
        """Return a section of a document.

        Raises:
            ParserEnded: It takes too much time or memory; the document must be opened again.
            ExtractionError: It cannot be read, or another document was opened since, or the process
                was closed.
        """
        if document != self._documents or self._process is None:
            raise ExtractionError("it was closed")
        return str(self._request({"section": index})["text"])

    def close(self) -> None:
        """Kill the process; a thread that waits for it gets an `ExtractionError`."""
        self._closed = True
        self._kill()

    def _request(self, request: dict[str, Any], content: bytes = b"") -> dict[str, Any]:
        process = self._process or self._start()
        try:
            answer = _exchange(process, request, content, self._seconds)
        except TimeoutError:
            self._kill()
            raise ParserEnded(
                f"reading it takes longer than {self._seconds:g} s: split it or simplify it"
            ) from None
        except (OSError, EOFError, ValueError):
            self._kill()
            raise ParserEnded(
                "reading it ended the parser, perhaps for lack of memory: split it or simplify it"
            ) from None
        if answer.get("exhausted"):
            self._kill()
            raise ParserEnded(str(answer["error"]))
        if "error" in answer:
            raise ExtractionError(str(answer["error"]))
        return answer

    def _start(self) -> "subprocess.Popen[bytes]":
        if self._closed:
            raise ExtractionError("it was closed")
        # A child does not inherit sys.path, which a zip or a PEX has extended. And the parser of
        # untrusted files must not see credentials.
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
            self._kill()
            raise Unavailable("The parser's process does not start.", retry_after=5) from error
        return self._process

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    # Closing flushes, which fails because the process is gone.
                    try:
                        pipe.close()
                    except OSError:
                        continue


class _RemoteText:
    """The text of a document in the child process."""

    def __init__(self, parser: ParserProcess, document: int, opened: dict[str, Any]) -> None:
        self.title: str | None = opened["title"]
        self.paged: bool = opened["paged"]
        self._sections: int = opened["sections"]
        self._parser = parser
        self._document = document

    def __len__(self) -> int:
        return self._sections

    def section(self, index: int) -> str:
        return self._parser.section(self._document, index)


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
