"""Answers, passages, services and ingestions as text for a terminal."""

from collections import Counter
from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from client import models
from client.cli.ingestion import Result

_STATE_STYLES = {
    "stored": "green", "skipped": "dim", "partial": "yellow", "sent": "yellow", "failed": "red",
}  # fmt: skip


def print_answer(answer: models.AskResponse, console: Console) -> None:
    """Print an answer with its numbered citations."""
    console.print(Text(answer.answer))
    if answer.citations:
        console.print("\n[bold]Citations[/bold]")
    for citation in answer.citations:
        console.print(Text(f"[{citation.marker}] {_source(citation)}"))
        console.print(Padding(Text(f'"{" ".join(citation.quote.split())}"', "dim"), (0, 0, 0, 4)))
    for removed in answer.removed:
        console.print(Text(f"Left out ({removed.reason}): {removed.sentence}", "yellow"))
    console.print(Text(f"\n{answer.disclosure}", "dim"))
    for name, value in (("Conversation", answer.conversation_id), ("Trace", answer.trace_id)):
        if value:
            console.print(Text(f"{name} {value}", "dim"))


def print_passages(found: models.SearchResponse, console: Console) -> None:
    """Print the passages that were found."""
    if not found.passages:
        console.print("Nothing was found.")
    for number, passage in enumerate(found.passages, start=1):
        title = f"  {passage.title}" if passage.title else ""
        console.print(Text(f"{number}. {passage.passage_id}{title}  ({_score(passage)})", "bold"))
        console.print(Padding(Text(passage.text), (0, 0, 1, 3)))


def print_health(health: models.InterServiceResponse, console: Console) -> None:
    """Print a table of the services."""
    table = Table("service", "state", "HTTP", "ms", "detail")
    for name, service in health.services.items():
        state = "[green]healthy[/green]" if service.healthy else "[red]unhealthy[/red]"
        status = str(service.status) if service.status else "-"
        detail = escape(service.detail or "")
        table.add_row(name, state, status, f"{service.duration * 1000:,.0f}", detail)
    console.print(table)


def print_ingestion(ingestion: models.Ingestion, console: Console) -> None:
    """Print the progress of an ingestion and its problems."""
    total = "?" if ingestion.total is None else ingestion.total
    console.print(
        f"Ingestion {ingestion.id}: {ingestion.state}, {ingestion.done} of {total} documents done, "
        f"{ingestion.failed} failed"
    )
    if ingestion.waiting:
        console.print(Text(f"It waits: {ingestion.waiting.reason}"))
    for problem in ingestion.errors:
        console.print(Text(f"{problem.document_id}: {problem.detail}", "yellow"))


def print_results(results: Iterable[Result], console: Console) -> None:
    """Print a table of what became of each file, and how many there are of each kind."""
    table = Table("file", "what became of it", "detail")
    counts: Counter[str] = Counter()
    for one in sorted(results, key=lambda result: result.file.name):
        counts[one.state] += 1
        state = f"[{_STATE_STYLES[one.state]}]{one.state}[/]"
        table.add_row(escape(one.file.name), state, escape(one.detail))
    console.print(table)
    console.print(", ".join(f"{number} {state}" for state, number in counts.items()) or "No files.")


def _score(passage: models.FoundPassage) -> str:
    if passage.score is not None:
        return f"{passage.score:.3f}"
    return f"BM25 {passage.lexical or 0:.3f}"


def _source(citation: models.Citation) -> str:
    parts = [citation.document_id]
    if citation.title:
        parts.append(citation.title)
    if citation.page is not None:
        parts.append(f"page {citation.page}")
    if citation.as_of:
        parts.append(f"as of {citation.as_of}")
    return ", ".join(parts)
