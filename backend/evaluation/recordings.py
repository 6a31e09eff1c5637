"""Recordings: completions with the passages that they were written from, and their labels.

A recording of a model is stale when the prompt for its question and passages is not the one that
the model was given.
"""

import json
import re
from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from chat.answers.passages import Passage
from chat.history import Exchange
from chat.prompt import system_prompt, user_turn
from evaluation.question import InvalidSet, read_json_lines

BY_HAND: Final = "written by hand"
_FOLDER: Final = Path(__file__).with_name("recordings")
_CITED: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*#\d+")


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelOrigin(_Record):
    """The model that wrote a completion, the date that it was given, and its prompt's hash."""

    model_id: str
    prompt_sha256: str
    today: date


class Unit(_Record):
    """A sentence, list item, heading or table row of a completion.

    Attributes:
        label: `true`: the passages support it. `false`: it must not reach the caller.
            `structure`: it claims nothing. `unlabelled`: nobody has judged it.
    """

    text: str
    label: Literal["true", "false", "structure", "unlabelled"]
    note: str = ""

    @property
    def cited(self) -> set[str]:
        """The ids of the passages that it cites."""
        return set(_CITED.findall(self.text))


class RecordedPassage(_Record):
    """A passage as it was retrieved."""

    id: str
    document_id: str
    text: str
    title: str | None = None
    page: int | None = None
    as_of: str | None = None

    def passage(self) -> Passage:
        """Return the passage for chat's code."""
        return Passage(
            passage_id=self.id,
            document_id=self.document_id,
            text=self.text,
            title=self.title,
            page=self.page,
            as_of=self.as_of,
        )


class Recording(_Record):
    """A completion with everything that it depends on."""

    id: str
    origin: Literal["written by hand"] | ModelOrigin
    question: str
    earlier: tuple[tuple[str, str], ...] = ()
    passages: tuple[RecordedPassage, ...]
    completion: str
    stop_reason: str = "end_turn"
    form: str = ""
    units: tuple[Unit, ...]

    @property
    def is_stale(self) -> bool:
        """Whether a model wrote it for another prompt than today's code writes."""
        if isinstance(self.origin, str):
            return False
        passages = [one.passage() for one in self.passages]
        exchanges = [Exchange(asked, replied) for asked, replied in self.earlier]
        now = prompt_hash(
            system_prompt(self.origin.today),
            user_turn(self.question, exchanges, passages).content,
        )
        return now != self.origin.prompt_sha256


def prompt_hash(system: str, content: str) -> str:
    """Return the SHA-256 of a prompt, in hexadecimal."""
    return sha256(f"{system}\0{content}".encode()).hexdigest()


def read_recordings(folder: Path = _FOLDER) -> Iterator[Recording]:
    """Yield the recordings of a folder's `.jsonl` files.

    Raises:
        InvalidSet: A line is wrong.
    """
    for path in sorted(folder.glob("*.jsonl")):
        for number, fields in read_json_lines(path):
            try:
                yield Recording.model_validate(fields)
            except ValidationError as error:
                first = error.errors()[0]
                where = ".".join(map(str, first["loc"]))
                raise InvalidSet(f"{path.name}, line {number}: {where}: {first['msg']}") from None


def honest_recordings() -> Iterator[Recording]:
    """Yield the honest completions, which are written by hand."""
    return labelled_recordings("honest")


def labelled_recordings(name: str) -> Iterator[Recording]:
    """Yield a set of completions with labelled units: honest, development or held_out."""
    folder = resources.files("evaluation.completions")
    for line in folder.joinpath(f"{name}.jsonl").read_text("utf-8").splitlines():
        yield Recording.model_validate({"origin": BY_HAND, **json.loads(line)})
