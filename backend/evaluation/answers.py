"""Answers as a caller gets them: their status, what they cite, and what they must not say."""

from collections.abc import Sequence
from typing import Any

from evaluation.question import single_spaced
from evaluation.section import Section, share
from evaluation.services import Asked

_ANSWERED = frozenset(["answered", "partial"])
# What the boundary of advice does with these is its own section.
_NOT_JUDGED = frozenset(["recommendation", "distress"])


def measure(asked: Sequence[Asked]) -> Section:
    """Return the shares of right outcomes, by kind of question."""
    judged = [one for one in asked if one.question.kind not in _NOT_JUDGED]
    answerable = [one for one in judged if one.question.places]
    unanswerable = [one for one in judged if not one.question.places]
    metrics = {
        "answered": share([_status(one) in _ANSWERED for one in answerable]),
        "cites_a_right_document": share([cites_right(one) for one in answerable]),
        "unknown_where_unanswerable": share([_status(one) == "unknown" for one in unanswerable]),
        "nothing_forbidden": share([says_nothing_forbidden(one) for one in asked]),
        "quotes_verbatim": share([quotes_verbatim(one) for one in asked]),
        "disclosed": share([bool(one.answer.get("disclosure")) for one in asked]),
    }
    items = {one.question.id: is_right(one) for one in judged}
    notes = [
        f"{one.question.id}: {_status(one)}, cites {', '.join(sorted(_cited(one))) or 'nothing'}"
        for one in judged
        if not items[one.question.id]
    ]
    return Section("answers", metrics, items, notes)


def is_right(one: Asked) -> bool:
    """Return whether an answer has the right outcome for its question."""
    if not (says_nothing_forbidden(one) and quotes_verbatim(one)):
        return False
    if not one.question.places:
        return _status(one) == "unknown"
    return _status(one) in _ANSWERED and cites_right(one)


def cites_right(one: Asked) -> bool:
    """Return whether an answer cites at least one of the right documents."""
    return bool(_cited(one) & {place.document for place in one.question.places})


def says_nothing_forbidden(one: Asked) -> bool:
    """Return whether an answer has none of the texts that its question forbids."""
    text = single_spaced(str(one.answer.get("answer", ""))).casefold()
    return not any(single_spaced(each).casefold() in text for each in one.question.forbidden)


def quotes_verbatim(one: Asked) -> bool:
    """Return whether every quote is in its passage, at the offsets that the answer gives."""
    texts = {}
    if one.retrieved is not None:
        texts = {each.passage_id: each.text for each in one.retrieved.passages}
    return all(
        texts.get(quoted["passage_id"], "")[quoted["start"] : quoted["end"]] == quoted["quote"]
        and quoted["quote"]
        for quoted in _citations(one)
    )


def _status(one: Asked) -> str:
    return str(one.answer.get("status"))


def _cited(one: Asked) -> set[str]:
    return {quoted["document_id"] for quoted in _citations(one)}


def _citations(one: Asked) -> list[dict[str, Any]]:
    return list(one.answer.get("citations", []))
