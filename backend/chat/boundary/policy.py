"""The policy file: rules, texts and help lines, validated when it is loaded.

`docs/boundary.md` describes the file.
"""

import re
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from shared.answers import BoundaryCategory

Refused = Literal["distress", "fraud", "recommendation"]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
Pattern = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,63}$")]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]

_WORD_LIST: Final = re.compile(r"\{([a-z_]+)\}")
# `...` in a pattern: any words of the same sentence, at most 60 characters.
_GAP: Final = "(?![a-z0-9])[^.?!]{0,60}?(?:(?<![a-z0-9])|$)"
_MAX_BYTES: Final = 1_000_000


class PolicyError(ValueError):
    """A policy file cannot be used; the message names the file and each problem."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rule(_Part):
    """Patterns of a text, and patterns that cancel a match in the same sentence."""

    id: Name
    any: list[Pattern] = []
    unless: list[Pattern] = []

    @property
    def patterns(self) -> list[str]:
        """Every pattern of the rule."""
        return [*self.any, *self.unless]


class QuestionRule(Rule):
    """A rule for questions; the first that matches decides the category."""

    category: Refused


class Weights(_Part):
    """Weights of the phrases of a question for a category (positive) or against it (negative).

    `evaluation/boundary/learn.py` computes them from labelled questions.

    Attributes:
        start: Each category's score for a question without known phrases.
        phrases: Weights in the order of `start`, by phrases as `wording.phrases` returns them.
    """

    start: dict[Refused, int] = {}
    phrases: dict[str, tuple[int, ...]] = {}

    @model_validator(mode="after")
    def _check(self) -> Self:
        for phrase, weights in self.phrases.items():
            if len(weights) != len(self.start):
                raise ValueError(f"{phrase!r}: needs {len(self.start)} weights, as `start` has")
        return self


class Texts(_Part):
    """Answers that need no model, and texts before and after a model's answer."""

    distress: Text
    fraud: Text
    recommendation_first: Text
    recommendation_last: Text
    recommendation_refused: Text
    guardrail_refused: Text


class HelpLine(_Part):
    """A help line, and the page on which its operator describes it."""

    text: Text
    source: Annotated[str, StringConstraints(pattern=r"^https://\S+$")]


class Policy(_Part):
    """Which questions are refused, and which answers count as advice."""

    version: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    words: dict[Annotated[str, StringConstraints(pattern=r"^[a-z_]+$")], Pattern] = {}
    questions: Annotated[list[QuestionRule], Field(min_length=1)]
    weights: Weights = Weights()
    answers: Rule
    texts: Texts
    help: dict[Country, dict[Refused, list[HelpLine]]] = {}

    @model_validator(mode="after")
    def _check(self) -> Self:
        ids = [rule.id for rule in (*self.questions, self.answers)]
        if repeated := sorted({one for one in ids if ids.count(one) > 1}):
            raise ValueError(f"the rule {repeated[0]!r} is defined twice")
        for rule in (*self.questions, self.answers):
            if not rule.patterns:
                raise ValueError(f"rule {rule.id!r}: has no pattern")
            for pattern in rule.patterns:
                if unknown := [one for one in _WORD_LIST.findall(pattern) if one not in self.words]:
                    raise ValueError(f"rule {rule.id!r}: words has no list {unknown[0]!r}")
        return self

    def expression(self, patterns: list[str]) -> re.Pattern[str] | None:
        """Return one expression for all patterns, which match whole words; None without patterns.

        Raises:
            re.error: A pattern is no regular expression.
        """
        if not patterns:
            return None
        expanded = _WORD_LIST.sub(lambda name: f"(?:{self.words[name[1]]})", "|".join(patterns))
        return re.compile(rf"(?<![a-z0-9])(?:{expanded.replace('...', _GAP)})(?![a-z0-9])")

    def help_lines(self, category: BoundaryCategory, country: str | None) -> list[str]:
        """Return the help lines of a country; none if the policy has no entry."""
        entries = self.help.get(country or "", {})
        return [line.text for name, lines in entries.items() if name == category for line in lines]


@cache
def built_in_policy() -> Policy:
    """Return the policy that comes with this service."""
    return Policy.model_validate_json(Path(__file__).with_name("policy.json").read_bytes())


def load_policy(path: Path) -> Policy:
    """Return the policy in a file, after compiling each of its patterns.

    Raises:
        PolicyError: The file cannot be read, or is no valid policy.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise PolicyError(f"{path}: cannot be read ({error.strerror})") from None
    if len(data) > _MAX_BYTES:
        raise PolicyError(f"{path}: is larger than {_MAX_BYTES:,} bytes")
    try:
        policy = Policy.model_validate_json(data)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, one['loc'])) or 'policy'}: {one['msg']}"
            for one in error.errors(include_url=False)
        )
        raise PolicyError(f"{path}: {problems}") from None
    for rule in (*policy.questions, policy.answers):
        for pattern in rule.patterns:
            try:
                policy.expression([pattern])
            except re.error as error:
                raise PolicyError(f"{path}: rule {rule.id!r}: {pattern!r}: {error}") from None
    return policy
