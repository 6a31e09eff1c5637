"""Measures the runner: documents to passages, and a job whose instances are killed.

./pants run backend/benchmarks:ingest -- FOLDER
./pants run backend/benchmarks:ingest -- --kills 20 --documents 10000
"""

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from runner.extraction import Kind, extract, kind_of
from runner.settings import Settings
from runner.splitting import take_part
from runner.tests.fakes import Store
from runner.tests.instances import Server, create_surroundings, ingest_with_kills, s3_client
from runner.text import ExtractedText, ExtractionError
from s3vector.passages import split_text
from s3vector.tests.cloud import REGION, Cloud

_PART_CHARACTERS: Final = Settings.model_fields["part_characters"].default
_BATCH_DOCUMENTS: Final = 50
_TARGET_SECONDS: Final = 0.25


@dataclass
class Tally:
    """What was measured of the documents of one kind; seconds are of CPU."""

    files: int = 0
    refused: int = 0
    pages: int = 0
    passages: int = 0
    seconds: float = 0.0
    peer_seconds: float = 0.0


def main() -> None:
    """Run one of the two measurements and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="documents, also in its folders")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--documents", type=int, default=10_000)
    options = parser.parse_args()
    if options.folder is None:
        measure_kills(options.documents, options.kills)
    elif options.folder.is_dir():
        measure_folder(options.folder)
    else:
        parser.error(f"{options.folder} is no folder")


def measure_folder(folder: Path) -> None:
    """Print the time from each kind of document to passages, beside that of a plain reader.

    The peer is pypdf's text for PDF and Beautiful Soup's for HTML; neither finds tables, headings
    or main content.
    """
    tallies: dict[Kind, Tally] = defaultdict(Tally)
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        try:
            kind = kind_of(path.name)
        except ExtractionError:
            continue
        _measure(path.read_bytes(), kind, tallies[kind])
        print(".", end="", file=sys.stderr, flush=True)
    print("\n| kind | files | refused | pages | passages | s a page | plain reader | ratio |")
    print("|---|---|---|---|---|---|---|---|")
    for kind, one in sorted(tallies.items()):
        pages = max(one.pages, 1)
        peer = f"{one.peer_seconds / pages:.4f}" if one.peer_seconds else ""
        ratio = f"{one.seconds / one.peer_seconds:.2f}" if one.peer_seconds else ""
        print(
            f"| {kind} | {one.files} | {one.refused} | {one.pages} | {one.passages} "
            f"| {one.seconds / pages:.4f} | {peer} | {ratio} |"
        )
    print(f"\nTarget for PDF: {_TARGET_SECONDS} s a page.")


def _measure(content: bytes, kind: Kind, tally: Tally) -> None:
    tally.files += 1
    began = time.process_time()
    try:
        document = extract(content, kind)
        tally.pages += len(document)
        tally.passages += _passages(document)
    except ExtractionError:
        tally.refused += 1
        return
    tally.seconds += time.process_time() - began
    if peer := _PEERS.get(kind):
        began = time.process_time()
        peer(content)
        tally.peer_seconds += time.process_time() - began


def _passages(document: ExtractedText) -> int:
    """Return how many passages are cut from a document, as the runner and s3vector do."""
    count = 0
    place: tuple[int, int] | None = (0, 0)
    while place is not None:
        section, offset = place
        try:
            part = take_part(document, section, offset, max_characters=_PART_CHARACTERS)
        except ExtractionError:  # of this page only
            place = (section + 1, 0) if section + 1 < len(document) else None
            continue
        count += len(split_text(part.with_context(), title=document.title))
        place = part.following
    return count


def _plain_pdf(content: bytes) -> None:
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        for page in PdfReader(BytesIO(content)).pages:
            page.extract_text()
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError) as error:
        print(f"\npypdf: {type(error).__name__}", file=sys.stderr)


def _plain_html(content: bytes) -> None:
    from bs4 import BeautifulSoup

    BeautifulSoup(content, "html.parser").get_text(" ")


_PEERS: Final[dict[str, Callable[[bytes], None]]] = {"pdf": _plain_pdf, "html": _plain_html}


def measure_kills(documents: int, kills: int) -> None:
    """Ingest uploads while instances are killed, and print what was stored and sent again."""
    cloud, store = Cloud(), Store("a-key-of-twenty-characters")
    servers: list[Server] = []
    with cloud.running(), store.serving(), tempfile.TemporaryDirectory() as folder:
        environment = create_surroundings(_aws(cloud.endpoint_url), store)
        environment |= {
            "BATCH_DOCUMENTS": str(_BATCH_DOCUMENTS),
            "SLICE_LIMIT_SECONDS": "3",
            "LEASE_GRACE_SECONDS": "0",
        }
        client = s3_client(environment)
        for number in range(documents):
            key = f"uploads/doc-{number:05}.txt"
            client.put_object(
                Bucket=environment["JOBS_BUCKET_NAME"], Key=key, Body=f"Text {number}.".encode()
            )

        def start() -> Server:
            log = Path(folder, f"{uuid4().hex}.log")
            servers.append(Server.started(log, environment))
            return servers[-1]

        began = time.monotonic()
        try:
            job = ingest_with_kills(
                start, store, {"prefix": "uploads/"}, documents=documents, kills=kills
            )
        finally:
            for server in servers:
                server.kill()
    _report(job, store, time.monotonic() - began, kills)


def _report(job: dict[str, Any], store: Store, seconds: float, kills: int) -> None:
    again = sum(map(len, store.puts)) - len(store.documents)
    print(
        f"{job['total']} documents, {kills} kills, {seconds:.0f} s: {job['state']}, "
        f"{job['done']} done, {len(store.documents)} stored\n"
        f"sent again: {again}, target at most {kills * _BATCH_DOCUMENTS} "
        f"(a batch of {_BATCH_DOCUMENTS} a kill)"
    )


def _aws(endpoint: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


if __name__ == "__main__":
    main()
