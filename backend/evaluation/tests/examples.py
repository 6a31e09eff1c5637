"""Questions that were asked, made by hand for the tests of each section."""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

from chat.answers.check import Segment
from chat.answers.passages import Passage
from chat.chat_model import Completion, PromptPassage
from chat.history import Exchange
from chat.prompt import user_turn
from chat.retrieval import Retrieved
from evaluation.question import Question
from evaluation.services import Asked, Prompt

MODEL = "embedding-model"


def question(kind: str = "answerable", *places: str, **fields: Any) -> Question:
    """Return a question whose places are written as `document` or `document: text`."""
    labels = [
        dict(zip(("document", "contains"), place.split(": ", 1), strict=False)) for place in places
    ]
    values = {"id": "q-1", "kind": kind, "question": "How much?", "places": labels, **fields}
    return Question.model_validate(values)


def passage(document: str, text: str = "A text.", *, number: int = 0, **fields: Any) -> Passage:
    """Return a passage of a document."""
    return Passage(f"{document}#{number}", document, text, **fields)


def asked(
    one: Question,
    *found: Passage,
    answer: dict[str, Any] | None = None,
    system: str = "",
    content: str | None = None,
) -> Asked:
    """Return a question with what was found, and a prompt as chat writes it."""
    given = {"status": "answered", "relevance": "relevant", "citations": [], "answer": "Yes."}
    history = [Exchange(*turn) for turn in one.earlier]
    written = user_turn(one.question, history, found).content if content is None else content
    prompt = Prompt(
        system, written, _prompt_passages(found), Completion((Segment("Yes."),), "end_turn", 1, 1)
    )
    return Asked(
        one, Retrieved(tuple(found), MODEL), prompt, MappingProxyType(given | (answer or {}))
    )


def _prompt_passages(found: Sequence[Passage]) -> list[PromptPassage]:
    return [PromptPassage(each.passage_id, each.title, each.text) for each in found]
