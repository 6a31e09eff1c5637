"""Matches questions and sentences of answers against the policy's rules, without a model."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from chat.boundary.policy import Policy, QuestionRule, Rule
from chat.boundary.wording import Wording
from shared.answers import BoundaryCategory

_APOSTROPHES: Final = re.compile(r"['\u2018\u2019\u02bc\u00b4`]")
_DECIMAL_POINT: Final = re.compile(r"(?<=\d)\.(?=\d)")
_NOT_COMPARED: Final = re.compile(r"(?:[^\w.?!,:$\u20ac\u00a3%]|_)+")
_SENTENCE_ENDS: Final = ".?!"


class Match(NamedTuple):
    """The category of a question, and the rule that decided it; none for information."""

    category: BoundaryCategory
    rule: str | None


class Rules:
    """The rules of a policy.

    They are compiled here and not with the first question: it takes 0.1 s of CPU, which Lambda has
    during the initialisation and not for a request.
    """

    def __init__(self, policy: Policy) -> None:
        self._questions: Sequence[tuple[QuestionRule, _Matcher]] = [
            (one, _Matcher(policy, one)) for one in policy.questions
        ]
        self._wording = Wording(policy.weights)
        self._answers = _Matcher(policy, policy.answers)

    def judge(self, question: str) -> Match:
        """Return the category of a question, and the rule that decided it."""
        text = plain(question)
        for rule, matcher in self._questions:
            if matcher.matches(text):
                return Match(rule.category, rule.id)
        if category := self._wording.category(text):
            return Match(category, f"{category}-wording")
        return Match("information", None)

    def recommends(self, sentence: str) -> bool:
        """Whether a sentence of an answer recommends something to the reader personally."""
        return self._answers.matches(plain(sentence))


class _Matcher:
    """One rule, compiled."""

    def __init__(self, policy: Policy, rule: Rule) -> None:
        self._any = policy.expression(rule.any)
        self._unless = policy.expression(rule.unless)

    def matches(self, text: str) -> bool:
        if self._any is None:
            return False
        return any(not self._is_cancelled(text, match) for match in self._any.finditer(text))

    def _is_cancelled(self, text: str, match: re.Match[str]) -> bool:
        if self._unless is None:
            return False
        start = max(text.rfind(end, 0, match.start()) for end in _SENTENCE_ENDS) + 1
        ends = (text.find(end, match.end()) for end in _SENTENCE_ENDS)
        end = min((one for one in ends if one >= 0), default=len(text))
        return self._unless.search(text, start, end) is not None


def plain(text: str) -> str:
    """Return a text as the patterns are written: lower case, "dont" for "don't", single spaces."""
    lower = _APOSTROPHES.sub("", text.lower())
    return _NOT_COMPARED.sub(" ", _DECIMAL_POINT.sub(",", lower)).strip()
