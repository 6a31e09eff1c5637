"""Parsing in a child process, with files that must be interrupted."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from runner.office.tests.files import shape, slides
from runner.parser_process import ParserProcess
from runner.tests.fakes import make_pdf
from runner.text import ExtractionError

# Python's HTML parser takes quadratic time for this; later releases fixed it.
HOSTILE_HTML = b"<a" * 300_000


@pytest.fixture
def reader() -> Iterator[ParserProcess]:
    reader = ParserProcess(seconds=60)
    yield reader
    reader.close()


def test_reads_html_and_pdf_as_the_extraction_does(reader: ParserProcess) -> None:
    page = reader.extract(b"<title>A page</title><p>Hello.", "html")
    assert (page.title, page.paged, page.section(0)) == ("A page", False, "Hello.")
    book = reader.extract(make_pdf(["one", "two"], title="A book"), "pdf")
    assert (book.title, book.paged, len(book)) == ("A book", True, 2)
    assert [book.section(index) for index in range(2)] == ["one", "two"]


def test_office_documents_are_read_in_the_child_process(reader: ParserProcess) -> None:
    talk = reader.extract(slides(shape("one"), shape("two")), "office")
    assert (talk.paged, [talk.section(index) for index in range(2)]) == (True, ["one", "two"])
    assert reader._process is not None


def test_one_process_serves_many_documents_and_is_gone_after_close(reader: ParserProcess) -> None:
    reader.extract(b"<p>a", "html")
    process = reader._process
    assert process is not None
    with pytest.raises(ExtractionError, match="no text"):
        reader.extract(b"<p>", "html")
    reader.extract(b"<p>b", "html")
    assert reader._process is process
    reader.close()
    assert process.returncode is not None


def test_text_needs_no_process(reader: ParserProcess) -> None:
    assert reader.extract(b"# T\n\nbody", "markdown").title == "T"
    assert reader._process is None


def test_a_document_that_takes_too_long_is_refused_and_the_next_is_read() -> None:
    reader = ParserProcess(seconds=3)
    try:
        with pytest.raises(ExtractionError, match="longer than 3 s"):
            reader.extract(HOSTILE_HTML, "html")
        assert reader._process is None
        reader._seconds = 60  # a busy machine may need more than 3 s to start the next process
        assert reader.extract(b"<p>fine", "html").section(0) == "fine"
    finally:
        reader.close()


def test_a_document_that_takes_too_much_memory_is_refused(
    reader: ParserProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux bounds a process's memory")
    program = "import runner.parser as p; p.MEMORY_BYTES = 400 * 2**20; p.main()"
    plain = subprocess.Popen

    def popen(command: list[str], **options: object) -> object:
        return plain([command[0], "-c", program], **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "Popen", popen)
    with pytest.raises(ExtractionError, match="memory"):
        reader.extract(b"<p>word<b>x</b>" * 300_000, "html")
    assert reader.extract(b"<p>fine", "html").section(0) == "fine"


def test_closing_from_another_thread_ends_a_waiting_call() -> None:
    reader = ParserProcess(seconds=60)
    reader.extract(b"<p>started", "html")
    threading.Timer(0.2, reader.close).start()
    with pytest.raises(ExtractionError):
        reader.extract(HOSTILE_HTML, "html")
    with pytest.raises(ExtractionError, match="closed"):
        reader.extract(b"<p>x", "html")


def test_a_parser_that_is_killed_is_started_again(reader: ParserProcess) -> None:
    reader.extract(b"<p>a", "html")
    assert reader._process is not None
    os.kill(reader._process.pid, 9)
    with pytest.raises(ExtractionError, match="ended the parser"):
        reader.extract(b"<p>b", "html")
    assert reader.extract(b"<p>c", "html").section(0) == "c"


def test_the_parser_sees_no_credentials_and_imports_no_web_stack() -> None:
    program = (
        "import sys, runner.parser\n"
        "print(*sorted({'fastapi', 'pydantic', 'boto3', 'shared'} & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True,
        env={"PYTHONPATH": os.pathsep.join(sys.path)}, timeout=60,
    )  # fmt: skip
    assert found.stdout.strip() == ""
    if sys.platform != "linux":
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_SECRET_ACCESS_KEY", "do-not-hand-on")
        reader = ParserProcess(seconds=20)
        reader.extract(b"<p>a", "html")
    assert reader._process is not None
    with open(f"/proc/{reader._process.pid}/environ", "rb") as environment:
        assert b"do-not-hand-on" not in environment.read()
    reader.close()
