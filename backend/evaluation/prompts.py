"""Prompts by their properties: dates, escaping, all passages, and the budget of tokens."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from xml.etree import ElementTree

from evaluation.section import Section, share
from evaluation.services import Asked, Prompt
from evaluation.tokens import estimated

PROPERTIES: Final = ("today", "passages", "dates", "escaped", "question", "budget")
HISTORY_TOKENS: Final = 2_000
"""The default of chat's setting `history_tokens`."""

# A marker of a document must not read as a citation.
_MARKERS: Final = ("[1]", "\u3010")


def measure(asked: Sequence[Asked], metadata: Mapping[str, Mapping[str, Any]]) -> Section:
    """Return the share of prompts with each property.

    Args:
        asked: The questions; those without a prompt are left out.
        metadata: The metadata of each document.
    """
    results = {
        one.question.id: properties(one, one.prompt, metadata)
        for one in asked
        if one.prompt is not None
    }
    metrics = {name: share([one[name] for one in results.values()]) for name in PROPERTIES}
    metrics["prompts"] = float(len(results))
    notes = [
        f"{question}: {', '.join(name for name, right in one.items() if not right)}"
        for question, one in results.items()
        if not all(one.values())
    ]
    items = {question: all(one.values()) for question, one in results.items()}
    return Section("prompts", metrics, items, notes)


def properties(
    one: Asked, prompt: Prompt, metadata: Mapping[str, Mapping[str, Any]]
) -> dict[str, bool]:
    """Return which of `PROPERTIES` a prompt has."""
    try:
        root = ElementTree.fromstring(f"<prompt>{prompt.content}</prompt>")  # noqa: S314 - our own
    except ElementTree.ParseError:
        # A prompt that is not well-formed was not escaped; its other properties cannot be read.
        return dict.fromkeys(PROPERTIES, False)
    return {
        "today": _names_today(prompt.system),
        "passages": _has_all_passages(one, root),
        "dates": _has_dates(root, metadata),
        "escaped": _is_escaped(root, prompt.content),
        "question": [each.text for each in root.findall("question")] == [one.question.question],
        "budget": _keeps_budget(one, root),
    }


def _names_today(system: str) -> bool:
    # The prompt may have been written before midnight.
    today = datetime.now(UTC).date()
    return any(day.isoformat() in system for day in (today, today - timedelta(days=1)))


def _has_all_passages(one: Asked, root: ElementTree.Element) -> bool:
    if one.retrieved is None:
        return False
    wanted = [
        (each.passage_id, each.document_id, each.title or "", each.text)
        for each in one.retrieved.passages
    ]
    found = [
        (
            each.get("id", ""),
            each.get("document", ""),
            each.get("title", ""),
            "".join(each.itertext()),
        )
        for each in root.findall("passage")
    ]
    return found == wanted


def _has_dates(root: ElementTree.Element, metadata: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether each passage has the date that its document's metadata gives."""
    for passage in root.findall("passage"):
        fields = metadata.get(passage.get("document", ""), {})
        wanted = str(fields.get("as_of") or fields.get("year") or "unknown")
        if passage.get("date") != wanted:
            return False
    return True


def _is_escaped(root: ElementTree.Element, content: str) -> bool:
    outer = [each.tag for each in root]
    inner = [each for parent in root if parent.tag != "earlier" for each in parent]
    # The question is the caller's own, and may say "[1]".
    before = content.rpartition("<question>")[0]
    return (
        set(outer) <= {"passage", "earlier", "question"}
        and not inner
        and not any(mark in before for mark in _MARKERS)
    )


def _keeps_budget(one: Asked, root: ElementTree.Element) -> bool:
    """Whether the prompt has exactly the newest earlier turns that fit into the budget."""
    given = [each.text or "" for each in root.findall("earlier/asked")]
    wanted: list[str] = []
    left = HISTORY_TOKENS
    for asked, replied in reversed(one.question.earlier):
        left -= estimated(asked + replied)
        if left < -1:  # the rounding of the estimate
            break
        wanted.insert(0, asked)
    return given == wanted
