"""Measures the check of chat's answers with two sets of completions (texts of a language model).

The honest set contains true sentences: those that the check removes are its false alarms. The
adversarial set contains false claims: those that reach the caller are its misses.
`./pants run backend/evaluation:checker` prints both figures and lists every case.
"""

import json
import re
from collections import Counter
from dataclasses import dataclass
from importlib import resources
from typing import Any

from chat.answers.check import check
from chat.answers.passages import Passage
from evaluation.completions.adversarial import generate

_CITATION = re.compile(r"\[[^\]]*\]")
_NOT_COMPARED = re.compile(r"[^0-9a-z%$.]+")


@dataclass(frozen=True, slots=True)
class Measurement:
    """The result of the check on one of the sets.

    Attributes:
        total: The number of true units (sentences, list items, table rows) in the honest set, or
            of cases in the adversarial set.
        wrong: The true units that were removed, or the cases in which something false reached the
            caller. Each is a pair: the kind of text or of attack, and the text.
    """

    total: int
    wrong: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        kinds = ", ".join(
            f"{kind} {count}" for kind, count in Counter(k for k, _ in self.wrong).most_common()
        )
        share = len(self.wrong) / self.total
        return f"{len(self.wrong)} of {self.total} ({share:.1%})" + (f": {kinds}" if kinds else "")


def honest() -> Measurement:
    """Count the true units of honest completions that the checker removes."""
    data = resources.files("evaluation.completions").joinpath("honest.jsonl").read_text("utf-8")
    total, removed = 0, []
    for item in map(json.loads, data.splitlines()):
        answer = check(
            item["completion"],
            [_passage(passage) for passage in item["passages"]],
            question=item["question"],
        ).answer
        kept = _comparable(answer)
        for unit in item["units"]:
            if unit["label"] == "true":
                total += 1
                if _comparable(unit["text"]) not in kept:
                    removed.append((item["form"], unit["text"]))
    return Measurement(total, tuple(removed))


def adversarial(count: int = 1000) -> Measurement:
    """Count the adversarial cases in which a false claim or citation reaches the caller."""
    total, reached = 0, []
    for case in generate(count):
        total += 1
        checked = check(
            case.completion,
            [_passage(passage) for passage in case.passages],
            question=case.question,
            stop_reason=case.stop_reason,
        )
        if found := case.reached(checked.answer, [c.passage_id for c in checked.citations]):
            reached.append((case.attack, "; ".join(found)))
    return Measurement(total, tuple(reached))


def _passage(fields: dict[str, Any]) -> Passage:
    return Passage(
        passage_id=fields["id"],
        document_id=fields["document_id"],
        text=fields["text"],
        title=fields.get("title"),
        page=fields.get("page"),
        as_of=fields.get("as_of"),
    )


def _comparable(text: str) -> str:
    # The check renumbers citations and may move markup: compare words and figures only.
    return _NOT_COMPARED.sub("", _CITATION.sub("", text.lower()))


if __name__ == "__main__":
    for title, measurement in (
        ("True units removed", honest()),
        ("Cases in which something false passed", adversarial()),
    ):
        print(f"{title}: {measurement}")
        for kind, text in measurement.wrong:
            print(f"  {kind}: {text}")
