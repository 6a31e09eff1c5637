"""Records what a model answered, for the checks to be measured on without it."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from evaluation.question import Question, read_json_lines, single_spaced
from evaluation.recordings import ModelOrigin, RecordedPassage, Recording, Unit, prompt_hash
from evaluation.services import Asked

PER_KIND: Final = 3
"""How many questions of each kind are recorded."""

_UNIT: Final = re.compile(r"\S.*?\[[^\]]*\][.!?]?(?=\s|$)|\S[^\[]*$", re.DOTALL)
_CITATION: Final = re.compile(r"\s*\[[^\]]*\]")


def write_recordings(path: Path, asked: Sequence[Asked]) -> None:
    """Write recordings of some questions of each kind to a file.

    Labels that a reader gave in the file before are kept if the unit is the same.
    """
    labels: dict[str, Unit] = {}
    if path.exists():
        for _, fields in read_json_lines(path):
            units = Recording.model_validate(fields).units
            labels |= {one.text: one for one in units if one.label != "unlabelled"}
    recordings = record(asked, datetime.now(UTC).date(), labels)
    path.write_text("".join(map(_as_line, recordings)), "utf-8")


def record(asked: Sequence[Asked], today: date, labels: Mapping[str, Unit]) -> Iterator[Recording]:
    """Yield recordings of what a model wrote.

    Units that are verbatim in the passages they cite are labelled `true`, and those with a text
    that the question forbids `false`; a reader has to label the others. Questions with earlier
    turns are left out: how many of them fit into the prompt depends on the budget. So are those to
    which the boundary of advice gives another prompt.
    """
    count: Counter[str] = Counter()
    for one in asked:
        kind = one.question.kind
        if one.prompt is None or one.retrieved is None or one.question.earlier:
            continue
        if count[kind] == PER_KIND or not _shows_the_model(one):
            continue
        count[kind] += 1
        passages = tuple(
            RecordedPassage(
                id=each.passage_id,
                document_id=each.document_id,
                text=each.text,
                title=each.title,
                page=each.page,
                as_of=each.as_of,
            )
            for each in one.retrieved.passages
        )
        completion = one.prompt.completion
        yield Recording(
            id=f"recorded-{one.question.id}",
            origin=ModelOrigin(
                model_id=str(one.answer["model_id"]),
                prompt_sha256=prompt_hash(one.prompt.system, one.prompt.content),
                today=today,
            ),
            question=one.question.question,
            passages=passages,
            completion=completion.text,
            stop_reason=completion.stop_reason,
            units=tuple(
                labels.get(unit.text, unit)
                for unit in _units(completion.text, passages, one.question)
            ),
        )


def _shows_the_model(one: Asked) -> bool:
    boundary = one.answer.get("boundary") or {"category": "information"}
    answered = one.answer.get("status") in {"answered", "partial"}
    return answered and boundary["category"] == "information"


def _units(
    completion: str, passages: Sequence[RecordedPassage], question: Question
) -> Iterator[Unit]:
    texts = {one.id: single_spaced(one.text) for one in passages}
    for found in _UNIT.finditer(completion):
        unit = Unit(text=found[0].strip(), label="unlabelled")
        claim = single_spaced(_CITATION.sub("", unit.text)).rstrip(".!?")
        if any(each.casefold() in claim.casefold() for each in question.forbidden):
            unit = unit.model_copy(update={"label": "false"})
        elif any(claim in texts.get(name, "") for name in unit.cited):
            unit = unit.model_copy(update={"label": "true"})
        yield unit


def _as_line(recording: Recording) -> str:
    fields = recording.model_dump(mode="json", exclude_defaults=True)
    return json.dumps(fields, ensure_ascii=False) + "\n"
