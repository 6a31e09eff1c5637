"""Whether the figures of a claim have the labels that the source gives them.

"Bonds returned 4 %" is wrong if stocks did, although the source sentence contains 4 %. Each figure
of a claim is compared with every figure of its kind in the passages: the words around it must fit
the figure that it agrees with at least as well as any other.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final

from chat.answers.claims import Claim
from chat.answers.figures import BARE, Figure
from chat.answers.labelling import Labels
from chat.answers.labels.fitting import MARGIN, fit, is_nearer, score
from chat.answers.labels.matching import agree
from chat.answers.labels.placing import dates_agree, follows_another, in_other_column, takes_label
from chat.answers.labels.swapping import pairs_agree
from chat.answers.passages import PassageReading, Statement
from chat.answers.reading import read
from chat.answers.times import times_agree

_MARGIN_ELSEWHERE: Final = 0.35
# Numbers without a unit may be ages or amounts, which nobody confuses.
_MARGIN_UNLIKE: Final = 0.5
_SMALL: Final = 150


class Binding:
    """Compares figures with their labels.

    Args:
        passages: The retrieved passages, read.
    """

    def __init__(self, passages: Sequence[PassageReading]) -> None:
        self._by_unit: dict[str, list[tuple[int, Statement, int]]] = {}
        for number, passage in enumerate(passages):
            for statement in passage.statements:
                for index, figure in enumerate(statement.reading.figures):
                    place = (number, statement, index)
                    self._by_unit.setdefault(figure.unit, []).append(place)

    def agrees(
        self, claim: Claim, labels: Sequence[Labels], statement: Statement, cited: Sequence[int]
    ) -> bool:
        """Whether each figure of a claim has the labels that the statement gives it."""
        figures = claim.reading.figures
        fits: list[float | None] = []
        for index, figure in enumerate(figures):
            if figure.key in claim.exempt:
                fits.append(None)
                continue
            if not self.is_in_place(claim, index, statement):
                return False
            fits.append(fit(labels[index], statement, partial(agree, figure, claim, statement)))
        for index, (figure, own) in enumerate(zip(figures, fits, strict=True)):
            # A date beside other figures is compared as one of their labels.
            if own is None or (figure.date and any(not one.date for one in figures)):
                continue
            if self.has_rival(claim, figure, labels[index], statement, cited):
                return False
        return pairs_agree(claim, labels, statement, fits)

    @staticmethod
    def is_in_place(claim: Claim, index: int, statement: Statement) -> bool:
        """Whether a figure does not have the time, date, column or label of another figure."""
        figure = claim.reading.figures[index]
        if in_other_column(claim, index, statement) or not times_agree(claim, figure, statement):
            return False
        if follows_another(claim, index, statement):
            return False
        return figure.date is not None or (
            dates_agree(claim, index, statement) and not takes_label(claim, index, statement)
        )

    def has_rival(
        self,
        claim: Claim,
        figure: Figure,
        labels: Labels,
        statement: Statement,
        cited: Sequence[int],
    ) -> bool:
        """Whether another figure of the same kind fits the labels better."""
        figures = claim.reading.figures
        own = fit(labels, statement, partial(agree, figure, claim, statement)) or 0.0
        # A sentence that repeats a lead-in shares its words and its figures.
        introduced = [one for text in claim.context for one in read(text).figures]
        # "Before 65" is compared with ages if the source states that 65 is an age.
        units = {
            one.unit for one in statement.reading.figures if agree(figure, claim, statement, one)
        }
        for unit in units:
            for number, source, place in self._by_unit.get(unit, ()):
                margin = MARGIN if number in cited else _MARGIN_ELSEWHERE
                other = source.reading.figures[place]
                if unit == BARE and (abs(other.value) < _SMALL) != (abs(figure.value) < _SMALL):
                    margin = _MARGIN_UNLIKE
                if score(labels, source, place) <= own + margin and not (
                    source is statement and is_nearer(labels, claim, figure, statement, place)
                ):
                    continue
                if not any(
                    agree(one, claim, source, other) for one in (figure, *figures, *introduced)
                ):
                    return True
        return False
