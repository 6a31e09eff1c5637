"""Ingests files: leaves out what is stored, sends the rest in batches, follows each to its end."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

from client.batches import Batch, batch_key, batches, document
from client.files import SourceFile
from client.gateway import Gateway
from client.outcome import CommandError, Exit
from client.replies import Ingestion, Problem

State = Literal["stored", "partial", "failed", "skipped", "sent"]

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
        gateway: Calls the API.
        report: Called with the number of files that are done and what is being done.
        sleep: Waits for some seconds.
    """

    def __init__(
        self,
        gateway: Gateway,
        report: Callable[[int, str], None],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._gateway = gateway
        self._report = report
        self._sleep = sleep
        self._may_run = True
        self.results: dict[str, Result] = {}

    def ingest(self, files: Iterable[SourceFile]) -> None:
        """Ingest the files. `results` has what is known, even if it raises."""
        self._report(0, "reading what is stored")
        accepted = self._gateway.content_types()
        stored = {one["id"]: one.get("sha256") for one in self._gateway.documents()}
        readable = [file for file in files if self._is_ingestible(file, accepted)]
        for batch in batches(readable):
            if all(stored.get(file.document_id) == file.sha256 for file in batch):
                for file in batch:
                    self._add(file, "skipped", "unchanged")
                continue
            self._ingest_batch(batch, stored)

    def _is_ingestible(self, file: SourceFile, accepted: frozenset[str]) -> bool:
        try:
            size, _ = file.size, file.sha256
        except OSError as error:
            self._add(file, "failed", f"it cannot be read: {error.strerror}")
            return False
        if file.content_type not in accepted:
            self._add(file, "skipped", f"unsupported type {file.content_type}".rstrip())
        elif not size:
            self._add(file, "skipped", "empty")
        else:
            return True
        return False

    def _ingest_batch(self, batch: Batch, stored: dict[str, str | None]) -> None:
        before = len(self.results)
        documents = []
        for file in batch:
            self._report(before, f"sending {file.name}")
            try:
                documents.append(document(file, self._gateway))
            except OSError as error:
                self._add(file, "failed", f"it cannot be read: {error.strerror}")
            except CommandError as error:
                if error.exit_code is not Exit.NOT_DONE:
                    raise
                self._add(file, "failed", error.detail)
        sent = [file for file in batch if file.document_id not in self.results]
        if not sent:
            return
        ingestion = self._start(documents, batch_key(sent))
        for file in sent:
            self._add(file, "sent", ingestion.id)
        ingestion = self._follow(ingestion, before)
        problems = {one.document_id: one for one in ingestion.errors}
        for file in sent:
            is_new = stored.get(file.document_id) != file.sha256
            self._add(file, *_outcome(ingestion, problems.get(file.document_id), is_new=is_new))

    def _start(self, documents: list[dict[str, object]], key: str) -> Ingestion:
        ingestion = self._gateway.ingest(documents, key)
        if ingestion.is_open:
            return ingestion
        # An earlier run ended it, and not everything is stored: try again.
        self._gateway.remove_ingestion(ingestion.id)
        return self._gateway.ingest(documents, key)

    def _follow(self, ingestion: Ingestion, before: int) -> Ingestion:
        """Return the ingestion when it has ended."""
        pause = _FIRST_PAUSE_SECONDS
        while ingestion.is_open:
            waits = ingestion.waiting.reason if ingestion.waiting else "ingesting"
            self._report(before + ingestion.done + ingestion.failed, waits)
            progress = self._gateway.run_slice(ingestion.id) if self._may_run else None
            if progress is None:
                self._may_run = False
                progress = self._gateway.ingestion(ingestion.id)
            if progress.done + progress.failed > ingestion.done + ingestion.failed:
                pause = _FIRST_PAUSE_SECONDS
            elif progress.is_open:
                self._sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            ingestion = progress
        return ingestion

    def _add(self, file: SourceFile, state: State, detail: str = "") -> None:
        self.results[file.document_id] = Result(file, state, detail)
        self._report(sum(one.state != "sent" for one in self.results.values()), "")


def _outcome(ingestion: Ingestion, problem: Problem | None, *, is_new: bool) -> tuple[State, str]:
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
