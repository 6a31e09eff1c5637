"""Which units need no source: headings, lead-ins, questions, disclaimers, and admitted gaps."""

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from chat.answers.figures import DATE, Figure
from chat.answers.item_counts import count_of_items
from chat.answers.lexicon import word_list
from chat.answers.negations import negations
from chat.answers.passages import PassageReading, named_figures
from chat.answers.reading import Reading, read
from chat.answers.units import Kind, Unit, Units, ends_in_colon
from chat.answers.words import WORD, stem


class Role(StrEnum):
    """How the check treats a unit: only claims need a source."""

    CLAIM = "claim"
    STRUCTURE = "structure"
    LACK = "lack"
    """The statement that the documents do not contain something."""


DISCLAIMERS: Final = (
    "This is general information, not individual financial advice.",
    "This is not financial, tax, legal or investment advice.",
    "I am not a financial advisor.",
    "Please consult a qualified financial adviser or tax professional before you make "
    "decisions about your own situation.",
    "Consider speaking with a financial professional about your individual circumstances.",
    "This answer is for informational and educational purposes only.",
)
_DISCLAIMED_SHARE: Final = 0.75

_ADVICE: Final = re.compile(
    r"\b(?:should|must|ought to|need to|have to|recommend\w*|advis(?:e|es|ed|able)|suggest\w*|"
    r"had better|"
    r"best to|never|always|consider|guarantee\w*|safe|risk-free)\b",
    re.IGNORECASE,
)
_ADVICE_VERB: Final = re.compile(
    r"\W*(?:please\s+)?(?:avoid|buy|sell|invest|hold|choose|pick|withdraw|contribute|borrow|"
    r"pay|save|open|close|move|put|"
    r"take|refinance|keep|use|start|stop|wait|diversify|rebalance|max|maximi[sz]e|"
    r"prioriti[sz]e|roll|transfer|sign)\b",
    re.IGNORECASE,
)
# Words of lead-ins that state nothing.
_FRAME: Final = frozenset(
    key
    for word in word_list("""step steps way ways option options factor factors difference
differences comparison compare
compares overview table list breakdown detail details answer question point points rule
rules kind kinds type types benefit benefits advantage advantages disadvantage drawback
drawbacks pro pros con cons tip tips aspect feature features thing things order main basic
basics side sides figure figures number numbers term terms look looks follow plan approach
method methods strategy strategies category categories information passage short brief
briefly summary context response situation goal goals recap result results""")
    if (key := stem(word))
)
_SOURCE_NOUN: Final = (
    r"(?:documents?|passages?|sources?|materials?|texts?|context|excerpts?|references?|information|"
    r"knowledge base|articles?|library|records?|data)"
)
_LACK: Final = re.compile(
    rf"\b{_SOURCE_NOUN}\b[^.;]{{0,80}}?\b(?:do(?:es)? ?n[o']t|do(?:es)? not|did(?:n't| not)|"
    rf"is(?:n't| not)|are(?:n't| not)|"
    r"never|lacks?|omits?|says? nothing|say nothing|contain(?:s)? no|ha(?:s|ve) no|includes? "
    r"no|gives? no|"
    r"offers? no|provides? no|mentions? no|cannot|can't|fails? to)\b"
    rf"|\b(?:none|neither|nothing) (?:of|in|about) (?:the|these|those|my|"
    rf"this)\b[^.;]{{0,40}}{_SOURCE_NOUN}"
    rf"|\b(?:no|not|n't|cannot|can't|unable to|couldn't|could not)\b[^.;]{{0,80}}\b(?:in|from|"
    rf"by|within|on)\s+(?:the|these|those|my|this|any)?"
    rf"\s*(?:\w+ ){{0,3}}{_SOURCE_NOUN}\b"
    r"|\bi (?:do not|don't|cannot|can't|could not|couldn't|am unable to|was unable to|am not "
    r"able to)\s+"
    r"(?:know|say|tell|find|answer|determine|see|have|provide|confirm)\b"
    r"|\bi(?:'m| am) (?:not sure|unsure|unable)\b"
    rf"|\bthere (?:is|are|was)(?: no|n't| not)\b[^.;]{{0,60}}{_SOURCE_NOUN}"
    r"|\b(?:is|are|was|were)(?:n't| not) (?:mentioned|addressed|discussed|stated|specified|"
    r"answered)\b"
    r"|^\W*(?:that|this|it|those details|such details)\b[^.;]{0,40}\b(?:is|are|was|were)"
    r"(?:n't| not) (?:covered|given|included|provided|found|available)\b",
    re.IGNORECASE,
)
# Advice, unless it is that "the documents do not recommend any specific bank".
_ADVISED: Final = re.compile(
    r"\b(?:should|guarantee\w*|safe|"
    r"recommend\w*(?! (?:any|a|one) (?:specific|particular|single)))\b"
)
# A claim follows these: "the documents do not say, but 12 % is safe".
_TURN: Final = re.compile(
    r"[;:]\s+\w|,?\s+\b(?:but|however|although|though|so you|therefore|because|yet|"
    r"nevertheless|still,|since|and you|"
    r"which means|meaning|and so)\b(?! (?:that|it|this)\b\W*$)",
    re.IGNORECASE,
)
_LEADING: Final = re.compile(
    r"\W*(?:and|but|so|however|unfortunately|also|still|that said|note that)\b,?\s*", re.IGNORECASE
)
_RHETORIC: Final = re.compile(
    r"\W*(?:is|are|do|does|did|has|have|was|were|would|could|should|can|wo|ca)n't\b|\W*did you "
    r"know|\W*(?:don't|do) you realise",
    re.IGNORECASE,
)
_REPLY: Final = re.compile(
    r"\W*(?:yes|no|yes and no|it depends|sure|certainly|of course|great question|good question|"
    r"hello|hi|thanks?(?: you)?|you're welcome)\W*",
    re.IGNORECASE,
)
_DEPENDS: Final = re.compile(
    r"\W*(?:(?:yes|no|it (?:can|may|could|might)|that|this|it|the answer)\b[,;:]?\s+)?(?:but\s+)?"
    r"(?:(?:it|that|this)\s+)?(?:really\s+|mostly\s+|largely\s+)?depends\b[^,;:]{0,60}",
    re.IGNORECASE,
)
_OFFER: Final = re.compile(
    r"\W*(?:let me know|feel free|i hope (?:this|that)|if you (?:tell|share|give|let|would "
    r"like|want|have (?:more|other|further))|"
    r"please (?:tell|share|let|provide|specify)|tell me|i can (?:help|also|go|give|say)|happy "
    r"to|could you)\b",
    re.IGNORECASE,
)


class Roles:
    """Classifies the units of one completion.

    Args:
        units: The units.
        question: The question that was asked.
        passages: The retrieved passages.
        disclaimers: Sentences that need no source.
    """

    def __init__(
        self,
        units: Units,
        question: str,
        passages: Sequence[PassageReading],
        disclaimers: Sequence[str],
    ) -> None:
        self._units = units
        asked = read(question)
        self._question_figures = frozenset(figure.key for figure in asked.figures)
        self._known_stems = asked.stems.union(*(one.stems for one in passages))
        self._known_identifiers = asked.identifier_keys.union(
            *(one.identifier_keys for one in passages)
        )
        self._named = frozenset(pair for one in passages for pair in one.named_figures)
        self._disclaimers = [(_stems(text), _denials(text)) for text in disclaimers]

    def role(self, unit: Unit) -> Role:  # noqa: PLR0911
        """Return the role of a unit."""
        if unit.kind is Kind.HEADER:
            return Role.STRUCTURE
        if unit.kind is Kind.ROW:
            return Role.CLAIM
        text = self._units.text_of(unit).strip("*_ ")
        if not any(character.isalnum() for character in text):
            return Role.CLAIM  # The sign of a footnote whose definition was removed.
        reading = read(text)
        if self._is_disclaimer(text, reading):
            return Role.STRUCTURE
        if self._is_lack(text, reading):
            return Role.LACK
        if not self._is_bare(unit, reading):
            return Role.CLAIM
        if _REPLY.fullmatch(text) or _DEPENDS.fullmatch(text):
            return Role.STRUCTURE
        if text.endswith("?") and not _RHETORIC.match(text):
            return Role.STRUCTURE
        if unit.kind is Kind.HEADING and not self._advises(text, reading):
            return Role.STRUCTURE
        introduces = bool(self._units.children(unit.index))
        if ends_in_colon(text) and introduces and self._is_lead_in(text, reading):
            return Role.STRUCTURE
        if reading.stems and reading.stems <= _FRAME and not negations(text):
            return Role.STRUCTURE  # "Here is a short summary."
        if _OFFER.match(text) and not unit.marks and not self._advises(text, reading):
            return Role.STRUCTURE
        return Role.CLAIM

    def unproven_names(self, reading: Reading) -> bool:
        """Whether a text has a name that neither the question nor the documents have."""
        return any(
            word.is_name and word.stem not in self._known_stems for word in reading.words
        ) or any(
            key not in self._known_identifiers and not key.startswith(("step", "page"))
            for key in reading.identifier_keys
        )

    def _is_bare(self, unit: Unit, reading: Reading) -> bool:
        """Whether a unit has no figure and no name that needs a source."""
        named = set(named_figures(reading))
        counted = count_of_items(self._units, unit)
        count = counted[0].key if counted and counted[0].value == counted[1] else ""
        if any(
            figure.key != count and not self._is_known(figure, named) for figure in reading.figures
        ):
            return False
        # Headings are written with capitals throughout.
        return unit.kind is Kind.HEADING or not self.unproven_names(reading)

    def _is_known(self, figure: Figure, named: set[tuple[str, str]]) -> bool:
        if figure.key in self._question_figures:
            return True
        return any(pair in self._named for pair in named if pair[0] == figure.key)

    def _is_lead_in(self, text: str, reading: Reading) -> bool:
        if negations(text) and any(one.hard for one in negations(text)):
            return False
        return not self._advises(text, reading)

    def _advises(self, text: str, reading: Reading) -> bool:
        if _ADVICE_VERB.match(text) and not text.endswith("?"):
            return True
        return bool(_ADVICE.search(text)) and bool(reading.stems - _FRAME)

    def _is_disclaimer(self, text: str, reading: Reading) -> bool:
        if reading.figures:
            return False
        words = _stems(text)
        if not words:
            return False
        return any(
            len(words & known) >= _DISCLAIMED_SHARE * len(words) and denials == _denials(text)
            for known, denials in self._disclaimers
        )

    def _is_lack(self, text: str, reading: Reading) -> bool:
        body = text[_LEADING.match(text).end() :] if _LEADING.match(text) else text  # type: ignore[union-attr]
        if not _LACK.search(body):
            return False
        if any(
            figure.key not in self._question_figures
            for figure in reading.figures
            if figure.unit != DATE
        ):
            return False
        if any(figure.key not in self._question_figures for figure in reading.figures):
            return False
        # Each part must admit a gap, as in "I don't know: the passages do not say".
        return all(
            (found := _LACK.search(part)) and not _TURN.search(part[found.end() :])
            for part in re.split(r"[;:]\s", body)
        ) and not _ADVISED.search(body)


def _denials(text: str) -> int:
    return sum(one.hard for one in negations(text))


def _stems(text: str) -> frozenset[str]:
    return frozenset(
        word for match in WORD.finditer(text) if (word := match[0].lower()) and len(word) > 2
    )
