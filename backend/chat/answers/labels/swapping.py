"""Whether a claim swaps two figures of the source."""

import re
from collections.abc import Sequence
from typing import Final

from chat.answers.claims import Claim
from chat.answers.figures import Figure
from chat.answers.labelling import Labels
from chat.answers.labels.fitting import MARGIN, fit
from chat.answers.lexicon import word_list
from chat.answers.passages import Statement

_VALUE: Final = frozenset(
    word_list("""is are was were be cost costs becomes became equals brings brought reaches
reached pays
yields makes totals totalled adds added earns earned gives has have had""")
)
_BASE: Final = frozenset(word_list("""on for with of at from in under"""))
_TELLING_ROLES: Final = frozenset({"value", "from", "to"})
_BETWEEN: Final = frozenset(
    word_list("""about around roughly approximately nearly almost only just some a an the another
additional
extra over under around up further""")
)
_DIFFERENCE: Final = re.compile(r"\s*(?:more|less|higher|lower|fewer)\b", re.IGNORECASE)


def pairs_agree(
    claim: Claim,
    labels: Sequence[Labels],
    statement: Statement,
    fits: Sequence[float | None],
) -> bool:
    """Whether no two figures of a claim would fit the source better if they were swapped."""
    figures = claim.reading.figures
    for one in range(len(figures)):
        for two in range(one + 1, len(figures)):
            first, second = fits[one], fits[two]
            if first is None or second is None or figures[one].unit != figures[two].unit:
                continue
            if figures[one].key == figures[two].key:
                continue
            if _roles_crossed(claim, statement, one, two):
                return False
            crossed = fit(labels[one], statement, figures[two].agrees_with)
            back = fit(labels[two], statement, figures[one].agrees_with)
            if crossed is None or back is None:
                continue
            if crossed + back > first + second + MARGIN:
                return False
    return True


def _roles_crossed(claim: Claim, statement: Statement, one: int, two: int) -> bool:
    """Whether "on X it costs Y" became "on Y it costs X"."""
    reading, source = claim.reading, statement.reading
    mine = [_role(reading.text, reading.figures[index]) for index in (one, two)]
    theirs = [
        _role(source.text, figure)
        for index in (one, two)
        for figure in source.figures
        if reading.figures[index].agrees_with(figure)
    ]
    if source.is_row or len(theirs) != 2:
        return False
    claimed = [reading.figures[index] for index in (one, two)]
    found = [figure for one in claimed for figure in source.figures if one.agrees_with(figure)]
    for trait in ("per", "bound"):
        # "300 a year becomes about 5,000" is not "5,000 a year becomes about 300".
        ours, others = [[getattr(f, trait) for f in pair] for pair in (claimed, found)]
        if any(ours) and ours == others[::-1] and ours != others:
            return True
    return any(
        mine[first] in _TELLING_ROLES
        and theirs[first] not in {"", mine[first]}
        and theirs[second] == mine[first] != mine[second]
        for first, second in ((0, 1), (1, 0))
    )


def _role(text: str, figure: Figure) -> str:
    if _DIFFERENCE.match(text, figure.end):
        return ""
    words = re.findall(r"[A-Za-z']+", text[max(0, figure.start - 50) : figure.start].lower())
    while words and words[-1] in _BETWEEN:
        words.pop()
    if not words:
        return ""
    last = words[-1]
    if last in {"until", "till", "to", "through"}:
        return "to"
    if last in {"from", "since", "starting"} or words[-2:-1] in (["starts"], ["begins"]):
        return "from"
    return "value" if last in _VALUE else "base" if last in _BASE else ""
