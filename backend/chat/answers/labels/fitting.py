"""How well the labels of a figure of a claim fit those of a figure of the source."""

from collections.abc import Callable
from typing import Final

from chat.answers.claims import Claim
from chat.answers.figures import Figure
from chat.answers.labelling import Labels
from chat.answers.labels.matching import agree
from chat.answers.passages import Statement

# How much better another figure must fit before the claim's figure counts as swapped.
MARGIN: Final = 0.05
_UNNAMED_ROW_LABEL: Final = 0.1
_UNNAMED_IN_ALL: Final = 0.5


def fit(labels: Labels, statement: Statement, wanted: Callable[[Figure], bool]) -> float | None:
    """Return the best score of a statement's wanted figures; None if there is none."""
    scores = [
        score(labels, statement, index)
        for index, figure in enumerate(statement.reading.figures)
        if wanted(figure)
    ]
    return max(scores, default=None)


def score(labels: Labels, statement: Statement, index: int) -> float:
    """Return how many labels a figure of a statement shares, weighted."""
    theirs = statement.labels[index]
    score = 0.0
    # In a fixed order, because it changes a sum of floats; a set's order differs by process.
    for key, weight in labels.items():
        score += min(weight, theirs.get(key, 0.0))
    row_labels = statement.reading.row_labels
    if statement.reading.is_row and row_labels is not None:
        unnamed = len(row_labels[index].keys() - labels.keys())
        score -= min(_UNNAMED_IN_ALL, _UNNAMED_ROW_LABEL * unnamed)
    return score


def is_nearer(
    labels: Labels, claim: Claim, figure: Figure, statement: Statement, place: int
) -> bool:
    """Whether another figure fits the claim's labels with fewer words left over.

    The claim "food at home rose to 3,933" omits a word of the source's "food away from home rose to
    3,933", but no word of its "food at home rose to 6,053": the claim's words belong to 6,053.
    """
    if statement.reading.is_row or claim.reading.is_row:
        return False
    mine = {key for key, weight in labels.items() if ":" not in key and weight >= 1}
    other = {key for key in statement.labels[place] if ":" not in key}
    if not mine or not mine <= other:
        return False
    for number, one in enumerate(statement.reading.figures):
        if agree(figure, claim, statement, one):
            own = {
                k for k, weight in statement.labels[number].items() if ":" not in k and weight >= 1
            }
            near = {k for k, weight in statement.labels[place].items() if weight >= 1}
            if not own - mine - near or near - mine - own - {k for k in near if ":" in k}:
                return False
    return True
