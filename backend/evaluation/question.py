"""A labelled question: what is asked, and what the right outcome is."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

type Kind = Literal[
    "answerable",
    "unanswerable",
    "follow_up",
    "new_topic",
    "date",
    "comparison",
    "filter",
    "recommendation",
    "distress",
    "injection",
    "long_history",
]

MAX_FILE_BYTES = 20 * 2**20


class InvalidSet(ValueError):
    """A file of a set is wrong; the message says where, and what to do."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Place(_Record):
    """The place of an answer: a document, and text that the right passage contains.

    Passages are named by their text because a change of the splitter renumbers them. White space
    does not count.
    """

    document: str
    contains: str = ""

    def is_in(self, document_id: str, text: str) -> bool:
        """Return whether a passage is the right one."""
        return document_id == self.document and single_spaced(self.contains) in single_spaced(text)


class Question(_Record):
    """A question and its label.

    Attributes:
        earlier: Question and answer of each earlier turn, oldest first.
        filter: A metadata filter in the syntax of S3 Vectors.
        places: Every place that the answer needs; empty if no document answers.
        forbidden: Texts that no answer may contain.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    kind: Kind
    question: Annotated[str, Field(min_length=1, max_length=10_000)]
    earlier: tuple[tuple[str, str], ...] = ()
    filter: dict[str, Any] | None = None
    places: tuple[Place, ...] = ()
    forbidden: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _places_fit_the_kind(self) -> Self:
        if self.kind in {"unanswerable", "distress"}:
            if self.places:
                raise ValueError(f"a question of the kind {self.kind} has no places")
        elif not self.places:
            raise ValueError(f"a question of the kind {self.kind} needs at least one place")
        return self


def read_questions(path: Path) -> list[Question]:
    """Return the questions of a JSON Lines file.

    Raises:
        InvalidSet: A line is wrong or an id occurs twice.
    """
    questions: dict[str, Question] = {}
    for number, fields in read_json_lines(path):
        try:
            question = Question.model_validate(fields)
        except ValidationError as error:
            reasons = "; ".join(
                f"{'.'.join(map(str, one['loc'])) or 'question'}: {one['msg']}"
                for one in error.errors()
            )
            raise InvalidSet(f"{path.name}, line {number}: {reasons}") from None
        if question.id in questions:
            raise InvalidSet(f"{path.name}, line {number}: the id {question.id} occurs twice")
        questions[question.id] = question
    if not questions:
        raise InvalidSet(f"{path.name} has no questions: write one JSON object a line")
    return list(questions.values())


def read_json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number and the object of each line that is not blank.

    Raises:
        InvalidSet: The file is missing or too large, or a line is no JSON object.
    """
    try:
        size = path.stat().st_size
    except OSError:
        raise InvalidSet(f"{path} is missing") from None
    if size > MAX_FILE_BYTES:
        raise InvalidSet(f"{path} is larger than {MAX_FILE_BYTES:,} bytes: split the set")
    try:
        lines = path.read_text("utf-8").splitlines()
    except UnicodeDecodeError:
        raise InvalidSet(f"{path} is not UTF-8 text") from None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError):
            fields = None
        if not isinstance(fields, dict):
            raise InvalidSet(f"{path.name}, line {number}: is no JSON object")
        yield number, fields


def single_spaced(text: str) -> str:
    """Return a text with single spaces for white space."""
    return " ".join(text.split())
