"""What each command does: it calls the API and prints the answer."""

import argparse
from collections.abc import Mapping
from contextlib import closing
from typing import Any, Final

from pydantic import BaseModel
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from client import models
from client.cli import printing
from client.cli.credentials import Access, read_access
from client.cli.files import find_files
from client.cli.ingestion import Ingester, Result
from client.cli.outcome import Exit, command_error
from client.cli.runner import Runner
from client.cli.trace import as_json, print_waterfall, read_spans, xray_id, xray_url
from client.errors import AdvisorError

_UNFINISHED: Final = frozenset(["failed", "partial", "sent"])


class Commands:
    """The commands of one call of the program; each returns its exit code.

    Args:
        options: The parsed command line.
        environment: The environment variables.
        output: Prints results, on standard output.
        notes: Prints progress and notes, on standard error.
    """

    def __init__(
        self,
        options: argparse.Namespace,
        environment: Mapping[str, str],
        output: Console,
        notes: Console,
    ) -> None:
        self._options = options
        self._environment = environment
        self._output = output
        self._notes = notes

    def run(self) -> Exit:
        """Carry out the command that was given.

        Raises:
            CommandError: It could not be carried out.
        """
        command = getattr(self, f"_{self._options.command}")
        try:
            exit_code: Exit = command()
        except AdvisorError as error:
            raise command_error(error) from None
        return exit_code

    def _ask(self) -> Exit:
        options = self._options
        question = models.AskRequest(
            question=options.question,
            conversation_id=options.conversation or None,
            top_k=options.top_k,
            filter=options.filter,
        )
        with self._access().client() as client:
            answer = client.ask(question)
        if not self._print_model(answer):
            printing.print_answer(answer, self._output)
        return Exit.DONE if answer.status in {"answered", "partial"} else Exit.NOT_DONE

    def _search(self) -> Exit:
        options = self._options
        words = models.SearchRequest(text=options.text, top_k=options.top_k, filter=options.filter)
        with self._access().client() as client:
            found = client.search(words)
        if not self._print_model(found):
            printing.print_passages(found, self._output)
        return Exit.DONE if found.passages else Exit.NOT_DONE

    def _status(self) -> Exit:
        ingestion_id = self._options.ingestion_id
        with self._access(writes=bool(ingestion_id)).client() as client:
            if ingestion_id:
                ingestion = client.get_ingestion(ingestion_id)
                if not self._print_model(ingestion):
                    printing.print_ingestion(ingestion, self._output)
                has_failed = ingestion.state in {"failed", "partial", "cancelled"}
                return Exit.NOT_DONE if has_failed else Exit.DONE
            health = client.check_services()
        if not self._print_model(health):
            printing.print_health(health, self._output)
        return Exit.DONE if health.healthy else Exit.NOT_DONE

    def _trace(self) -> Exit:
        trace_id = xray_id(self._options.trace_id)
        console_url = self._environment.get("CONSOLE_URL")
        if not console_url:
            url = xray_url(trace_id, self._environment)
            if not self._print_json({"trace_id": trace_id, "url": url}):
                self._output.print(f"Trace {trace_id} is in X-Ray:", highlight=False)
                self._output.print(url, soft_wrap=True, highlight=False)
            return Exit.DONE
        spans = read_spans(console_url, trace_id)
        if not self._print_json(as_json(trace_id, spans)):
            print_waterfall(trace_id, spans, self._output)
        return Exit.DONE

    def _ingest(self) -> Exit:
        files = find_files(self._options.paths)
        columns = (
            TextColumn("ingesting"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}", markup=False),
        )
        access = self._access(writes=True)
        with access.client() as client, closing(access.service("runner")) as runner:
            progress = Progress(*columns, console=self._notes, transient=True)
            task = progress.add_task("", total=len(files))

            def report(done: int, doing: str) -> None:
                progress.update(task, completed=done, description=doing[:60])

            ingester = Ingester(client, Runner(runner), report)
            try:
                with progress:
                    ingester.ingest(files)
            except BaseException:
                # Whatever ends it, even Ctrl-C: what is known of the files is not lost.
                if ingester.results:
                    self._print_results(ingester)
                self._notes.print(
                    "Not all files are done. What was sent is ingested without this program; the "
                    "same command continues."
                )
                raise
        self._print_results(ingester)
        states = {one.state for one in ingester.results.values()}
        return Exit.NOT_DONE if states & _UNFINISHED else Exit.DONE

    def _print_results(self, ingester: Ingester) -> None:
        results = list(ingester.results.values())
        if not self._print_json({"files": [_as_json(one) for one in results]}):
            printing.print_results(results, self._output)

    def _access(self, *, writes: bool = False) -> Access:
        return read_access(self._environment, writes=writes, secret=self._options.secret)

    def _print_model(self, answer: BaseModel) -> bool:
        return self._print_json(answer.model_dump(mode="json"))

    def _print_json(self, content: dict[str, Any]) -> bool:
        if self._options.json:
            self._output.print_json(data=content, highlight=False)
        return bool(self._options.json)


def _as_json(result: Result) -> dict[str, Any]:
    return {
        "file": str(result.file.path),
        "document_id": result.file.document_id,
        "state": result.state,
        "detail": result.detail,
    }
