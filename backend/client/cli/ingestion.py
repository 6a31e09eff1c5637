"""Ingests files: leaves out what is stored, sends the rest in batches, follows each to its end."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal, get_args

from client import Client, models
from client.cli.batches import Batch, batch_key, batches, document
from client.cli.files import SourceFile
from client.cli.outcome import Exit, command_error
from client.cli.runner import Runner
from client.errors import AdvisorError

State = Literal["stored", "partial", "failed", "skipped", "sent"]

_CONTENT_TYPES: Final = frozenset(
    get_args(models.IngestedDocument.model_fields["content_type"].annotation)
)
_FIRST_PAUSE_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 10.0


@dataclass(frozen=True)
class Result:
    """What became of one file; `sent` is one that the services still work on."""

    file: SourceFile
    state: State
    detail: str = ""


class Ingester:
    """Ingests files and collects what became of each.

    It keeps no state of its own: the hash in each document's metadata says what is stored, and the
    key of each batch finds an ingestion that an interrupted run has started.

    Args:
        client: Calls the API.
        runner: Works on ingestions at once, if the key may.
        report: Called with the number of files that are done and what is being done.
        sleep: Waits for some seconds.
    """

    def __init__(
        self,
        client: Client,
        runner: Runner,
        report: Callable[[int, str], None],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._runner = runner
        self._report = report
        self._sleep = sleep
        self._may_run = True
        self.results: dict[str, Result] = {}

    def ingest(self, files: Iterable[SourceFile]) -> None:
        """Ingest the files. `results` has what is known, even if it raises."""
        self._report(0, "reading what is stored")
        stored = self._stored_hashes()
        readable = [file for file in files if self._is_ingestible(file)]
        for batch in batches(readable):
            if all(stored.get(file.document_id) == file.sha256 for file in batch):
                for file in batch:
                    self._add(file, "skipped", "unchanged")
                continue
            self._ingest_batch(batch, stored)

    def _stored_hashes(self) -> dict[str, object]:
        """Return what the metadata of each stored document has as its file's hash, by id."""
        hashes: dict[str, object] = {}
        cursor: str | None = None
        while True:
            page = self._client.list_documents(limit=1000, cursor=cursor)
            hashes |= {one.id: one.metadata.get("sha256") for one in page.documents}
            if (cursor := page.cursor) is None:
                return hashes

    def _is_ingestible(self, file: SourceFile) -> bool:
        try:
            size, _ = file.size, file.sha256
        except OSError as error:
            self._add(file, "failed", f"it cannot be read: {error.strerror}")
            return False
        if file.content_type not in _CONTENT_TYPES:
            self._add(file, "skipped", f"unsupported type {file.content_type}".rstrip())
        elif not size:
            self._add(file, "skipped", "empty")
        else:
            return True
        return False

    def _ingest_batch(self, batch: Batch, stored: dict[str, object]) -> None:
        before = len(self.results)
        documents = []
        for file in batch:
            self._report(before, f"sending {file.name}")
            try:
                documents.append(document(file, self._client))
            except OSError as error:
                self._add(file, "failed", f"it cannot be read: {error.strerror}")
            except AdvisorError as error:
                failure = command_error(error)
                if failure.exit_code is not Exit.NOT_DONE:
                    raise
                self._add(file, "failed", failure.detail)
        sent = [file for file in batch if file.document_id not in self.results]
        if not sent:
            return
        ingestion = self._start(models.IngestionRequest(documents=documents), batch_key(sent))
        for file in sent:
            self._add(file, "sent", ingestion.id)
        ingestion = self._follow(ingestion, before)
        problems = {one.document_id: one for one in ingestion.errors}
        for file in sent:
            is_new = stored.get(file.document_id) != file.sha256
            self._add(file, *_outcome(ingestion, problems.get(file.document_id), is_new=is_new))

    def _start(self, body: models.IngestionRequest, key: str) -> models.Ingestion:
        ingestion = self._client.start_ingestion(body, idempotency_key=key)
        if _is_open(ingestion):
            return ingestion
        # An earlier run ended it, and not everything is stored: try again.
        self._client.cancel_ingestion(ingestion.id)
        return self._client.start_ingestion(body, idempotency_key=key)

    def _follow(self, ingestion: models.Ingestion, before: int) -> models.Ingestion:
        """Return the ingestion when it has ended."""
        pause = _FIRST_PAUSE_SECONDS
        while _is_open(ingestion):
            waits = ingestion.waiting.reason if ingestion.waiting else "ingesting"
            self._report(before + ingestion.done + ingestion.failed, waits)
            progress = self._runner.run_slice(ingestion.id) if self._may_run else None
            if progress is None:
                self._may_run = False
                progress = self._client.get_ingestion(ingestion.id)
            if progress.done + progress.failed > ingestion.done + ingestion.failed:
                pause = _FIRST_PAUSE_SECONDS
            elif _is_open(progress):
                self._sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            ingestion = progress
        return ingestion

    def _add(self, file: SourceFile, state: State, detail: str = "") -> None:
        self.results[file.document_id] = Result(file, state, detail)
        self._report(sum(one.state != "sent" for one in self.results.values()), "")


def _is_open(ingestion: models.Ingestion) -> bool:
    return ingestion.state in {"pending", "running"}


def _outcome(
    ingestion: models.Ingestion, problem: models.Problem | None, *, is_new: bool
) -> tuple[State, str]:
    if problem is not None and problem.pages:
        pages = ", ".join(
            str(one.first) if one.first == one.last else f"{one.first} to {one.last}"
            for one in problem.pages
        )
        return "partial", f"without pages {pages}: {problem.detail}"
    if problem is not None:
        return "failed", problem.detail
    if ingestion.state == "cancelled":
        return "failed", f"the ingestion {ingestion.id} was cancelled"
    return ("stored", "") if is_new else ("skipped", "unchanged")
