"""What each command does: it calls the API and prints the answer."""

import argparse
from collections.abc import Mapping
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from client import printing
from client.credentials import read_access
from client.files import find_files
from client.gateway import Gateway
from client.ingestion import Ingester, Result
from client.outcome import Exit
from client.replies import Answer, Health, Ingestion, Passages
from client.trace import as_json, print_waterfall, read_spans, xray_id, xray_url

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
        """Carry out the command that was given."""
        command = getattr(self, f"_{self._options.command}")
        exit_code: Exit = command()
        return exit_code

    def _ask(self) -> Exit:
        body = self._query(question=self._options.question)
        if self._options.conversation:
            body["conversation_id"] = self._options.conversation
        with self._gateway() as gateway:
            answer = gateway.post(Answer, "/api/ask", body)
        if not self._print_json(answer.model_dump()):
            printing.print_answer(answer, self._output)
        return Exit.DONE if answer.status in {"answered", "partial"} else Exit.NOT_DONE

    def _search(self) -> Exit:
        body = self._query(text=self._options.text)
        with self._gateway() as gateway:
            found = gateway.post(Passages, "/api/search", body)
        if not self._print_json(found.model_dump()):
            printing.print_passages(found, self._output)
        return Exit.DONE if found.passages else Exit.NOT_DONE

    def _status(self) -> Exit:
        ingestion_id = self._options.ingestion_id
        with self._gateway(writes=bool(ingestion_id)) as gateway:
            if ingestion_id:
                ingestion = gateway.get(Ingestion, f"/api/ingestions/{ingestion_id}")
                if not self._print_json(ingestion.model_dump()):
                    printing.print_ingestion(ingestion, self._output)
                has_failed = ingestion.state in {"failed", "partial", "cancelled"}
                return Exit.NOT_DONE if has_failed else Exit.DONE
            health = gateway.get(Health, "/api/test")
        if not self._print_json(health.model_dump()):
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
        with self._gateway(writes=True) as gateway:
            progress = Progress(*columns, console=self._notes, transient=True)
            task = progress.add_task("", total=len(files))

            def report(done: int, doing: str) -> None:
                progress.update(task, completed=done, description=doing[:60])

            ingester = Ingester(gateway, report)
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

    def _query(self, **question: str) -> dict[str, Any]:
        body: dict[str, Any] = {**question, "top_k": self._options.top_k}
        return body | ({"filter": self._options.filter} if self._options.filter else {})

    def _gateway(self, *, writes: bool = False) -> Gateway:
        return Gateway(read_access(self._environment, writes=writes, secret=self._options.secret))

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
