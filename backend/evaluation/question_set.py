"""A set: documents, and labelled questions about them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from evaluation.question import InvalidSet, Question, read_questions, single_spaced
from local.demo.documents import documents as sample_documents
from runner.extraction import extract, kind_of
from runner.splitting import take_part
from runner.text import ExtractionError
from shared.documents import MAX_TEXT_CHARACTERS, DocumentBody
from shared.ingestion.parts import part_id

QUESTIONS = "questions.jsonl"
DOCUMENTS = "documents"
OWN_FOLDER = Path(__file__).parent

_MAX_DOCUMENT_BYTES = 50 * 2**20
_FRONT_MATTER = b"---\n"


@dataclass(frozen=True)
class QuestionSet:
    """Documents as the s3vector service stores them, and questions about them."""

    documents: Sequence[DocumentBody]
    questions: Sequence[Question]


def read_set(folder: Path) -> QuestionSet:
    """Return the set of a folder: the file `questions.jsonl`, and the folder `documents`.

    The project's own set also has the sample documents.

    Raises:
        InvalidSet: A file is wrong.
    """
    documents = list(read_documents(folder / DOCUMENTS))
    if folder == OWN_FOLDER:
        documents += [DocumentBody.model_validate(one) for one in sample_documents()]
    return QuestionSet(documents, read_questions(folder / QUESTIONS))


def read_documents(folder: Path) -> Iterator[DocumentBody]:
    """Yield the documents of a folder, read and split into parts by the runner's own parsers.

    Raises:
        InvalidSet: The folder is missing, or a document cannot be read.
    """
    if not folder.is_dir():
        raise InvalidSet(f"{folder} is no folder: put the documents there")
    for path in sorted(folder.iterdir()):
        if path.is_file() and not path.name.startswith("."):
            try:
                yield from _parts(path)
            except (ExtractionError, ValidationError, OSError) as error:
                reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
                raise InvalidSet(f"{path.name}: {reason}") from None


def missing_places(found: QuestionSet) -> Iterator[str]:
    """Yield each document or text that the labels name and the documents lack.

    Either the label is wrong, or the parser lost the text.
    """
    texts = {one.id: single_spaced(one.text) for one in found.documents}
    for question in found.questions:
        for place in question.places:
            if place.document not in texts:
                yield f"{question.id}: there is no document {place.document}"
            elif single_spaced(place.contains) not in texts[place.document]:
                yield f"{question.id}: {place.document} does not contain {place.contains!r}"


def _parts(path: Path) -> Iterator[DocumentBody]:
    if path.stat().st_size > _MAX_DOCUMENT_BYTES:
        raise ExtractionError(f"it is larger than {_MAX_DOCUMENT_BYTES:,} bytes")
    fields, content = _front_matter(path.read_bytes())
    text = extract(content, kind_of(path.name))
    title = str(fields.pop("title", "")) or text.title
    section: int | None = 0
    offset, number = 0, 1
    while section is not None:
        part = take_part(text, section, offset, max_characters=MAX_TEXT_CHARACTERS)
        metadata: dict[str, Any] = dict(fields)
        if text.paged:
            metadata["page"] = part.section + 1
        yield DocumentBody(
            id=part_id(path.stem, number), title=title, text=part.with_context(), metadata=metadata
        )
        section, offset = part.following or (None, 0)
        number += 1


def _front_matter(content: bytes) -> tuple[dict[str, Any], bytes]:
    """Split `key: value` lines between two lines of `---` off the beginning of a file."""
    if not content.startswith(_FRONT_MATTER):
        return {}, content
    head, mark, rest = content[len(_FRONT_MATTER) :].partition(_FRONT_MATTER)
    lines = head.decode("utf-8", "replace").splitlines()
    if not mark or any(": " not in line for line in lines):
        return {}, content
    return {name: _value(text) for name, text in (line.split(": ", 1) for line in lines)}, rest


def _value(text: str) -> Any:
    """Return a number or a list if the text is JSON of one, else the text."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, int | float | list) else text
