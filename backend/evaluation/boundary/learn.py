"""Computes the weights of the boundary's policy from the development questions.

`./pants run backend/evaluation/boundary:learn -- POLICY_FILE` replaces `weights` in the file. Run
it after the development questions have changed, and read what `measure` prints afterwards.

Logistic regression over the phrases of each question, with a category for information whose
weights are then taken off the others'. Rare phrases count for more (inverse document frequency).
"""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from math import log
from pathlib import Path
from typing import Any, Final, get_args

import numpy as np
from numpy.typing import NDArray

from chat.boundary.policy import Refused
from chat.boundary.rules import plain
from chat.boundary.wording import phrases
from evaluation.boundary.measure import CATEGORIES, Labelled, questions

_REFUSED: Final[Sequence[Refused]] = get_args(Refused)
_LEAST_QUESTIONS: Final = 2  # a phrase of one question says more about its author
_REGULARISATION: Final = 0.3
_STEPS: Final = 400
_SCALE: Final = 100
# A false alarm costs a person a moment; a cry for help that is missed may cost a life.
_CAUTION: Final[dict[Refused, float]] = {"distress": 0.3}

Matrix = NDArray[np.float32]


def learn(asked: Sequence[Labelled]) -> dict[str, Any]:
    """Return `weights` as a policy file has them."""
    found = [phrases(plain(one.question)) for one in asked]
    counts = Counter(phrase for one in found for phrase in one)
    known = sorted(phrase for phrase, count in counts.items() if count >= _LEAST_QUESTIONS)
    rarity = np.array([log((1 + len(asked)) / (1 + counts[one])) + 1 for one in known], np.float32)
    column = {phrase: n for n, phrase in enumerate(known)}
    present = np.zeros((len(asked), len(known)), np.float32)
    for row, one in enumerate(found):
        present[row, [column[phrase] for phrase in one if phrase in column]] = 1
    present *= rarity / np.sqrt(np.maximum(present.sum(axis=1, keepdims=True), 1))
    labels = np.array([CATEGORIES.index(one.category) for one in asked])
    weights, start = _fitted(present, labels)
    weights *= rarity[:, None]

    information = CATEGORIES.index("information")
    order = [CATEGORIES.index(one) for one in _REFUSED]
    whole = np.rint((weights - weights[:, [information]])[:, order] * _SCALE).astype(int)
    starts = (start - start[information])[order]
    return {
        "start": {
            one: round(_SCALE * (float(value) + _CAUTION.get(one, 0)))
            for one, value in zip(_REFUSED, starts, strict=True)
        },
        "phrases": dict(zip(known, whole.tolist(), strict=True)),
    }


def _fitted(present: Matrix, labels: NDArray[np.int_]) -> tuple[Matrix, Matrix]:
    """Return weights (phrases x categories) and starts, by Nesterov's gradient descent."""
    wanted = np.eye(len(CATEGORIES), dtype=np.float32)[labels]
    balance = (len(labels) / len(CATEGORIES) / wanted.sum(axis=0))[labels][:, None]
    ones = np.ones((len(labels), 1), np.float32)
    inputs = np.hstack([present, ones])
    penalty = np.full((inputs.shape[1], 1), _REGULARISATION, np.float32)
    penalty[-1] = 0
    step = 1 / (0.5 * float(np.linalg.norm(inputs * np.sqrt(balance), 2)) ** 2 + _REGULARISATION)
    weights = ahead = np.zeros((inputs.shape[1], len(CATEGORIES)), np.float32)
    for n in range(_STEPS):
        scores = inputs @ ahead
        likely = np.exp(scores - scores.max(axis=1, keepdims=True))
        likely /= likely.sum(axis=1, keepdims=True)
        slope = inputs.T @ (balance * (likely - wanted)) + penalty * ahead
        earlier, weights = weights, ahead - step * slope
        ahead = weights + n / (n + 3) * (weights - earlier)
    return weights[:-1], weights[-1]


def written(policy: dict[str, Any]) -> str:
    """Return a policy as the text of its file, with one phrase a line."""
    weights = policy["weights"]
    rows = ",\n".join(
        f"      {json.dumps(phrase, ensure_ascii=False)}: {row}"
        for phrase, row in weights["phrases"].items()
    )
    start = json.dumps(weights["start"])
    rest = {name: value for name, value in policy.items() if name != "weights"}
    text = json.dumps(rest, indent=2, ensure_ascii=False).removesuffix("\n}")
    parts = [f"{text},", '  "weights": {', f'    "start": {start},', '    "phrases": {', rows]
    return "\n".join([*parts, "    }", "  }", "}", ""])


def main(arguments: Sequence[str]) -> None:
    """Replace the weights of a policy file."""
    if len(arguments) != 1:
        raise SystemExit("usage: learn POLICY_FILE")
    path = Path(arguments[0])
    policy = json.loads(path.read_text("utf-8"))
    policy["weights"] = learn(questions("development"))
    count = len(policy["weights"]["phrases"])
    path.write_text(written(policy), "utf-8")
    print(f"{path}: weights of {count:,} phrases written")


if __name__ == "__main__":
    main(sys.argv[1:])
