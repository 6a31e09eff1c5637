"""The boundary of advice: precision and recall of each category, and what callers get."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from evaluation.section import Section, share
from evaluation.services import Asked

if TYPE_CHECKING:
    from chat.boundary.rules import Rules

_NAME: Final = "boundary"
_REFUSED_KINDS: Final = frozenset(["recommendation", "distress"])


def policy_rules() -> "Rules | None":
    """Return the rules of the built-in policy.

    None if --compare evaluates code that has no boundary yet.
    """
    try:
        from chat.boundary.policy import built_in_policy
        from chat.boundary.rules import Rules
    except ModuleNotFoundError:
        return None
    return Rules(built_in_policy())


def measure(asked: Sequence[Asked]) -> Section:
    """Measure the rules on the labelled questions, and chat on the questions that were asked."""
    if policy_rules() is None:
        return Section(_NAME, unavailable="chat has no boundary of advice")
    from chat.boundary.policy import built_in_policy
    from evaluation.boundary.measure import CATEGORIES, SETS, SHOWN, questions
    from evaluation.boundary.measure import measure as judge

    metrics: dict[str, float] = {}
    items: dict[str, bool] = {}
    notes: list[str] = []
    for name in SETS:
        labelled = questions(name)
        measured = judge(built_in_policy(), labelled)
        for category in CATEGORIES:
            metrics[f"{name} precision {category}"] = measured.precision(category)
            metrics[f"{name} recall {category}"] = measured.recall(category)
        wrong = {one for one, _ in measured.wrong}
        items |= {f"{name}-{n:03}": one not in wrong for n, one in enumerate(labelled, start=1)}
        if name in SHOWN:
            notes += [
                f"{given} instead of {one.category}: {one.question}"
                for one, given in measured.wrong
            ]
    live = {f"asked-{one.question.id}": is_bounded(one) for one in asked}
    metrics["asked_as_labelled"] = share(list(live.values()))
    notes += [
        f"{name}: {_category(by_name)}"
        for name, by_name in zip(live, asked, strict=True)
        if not live[name]
    ]
    return Section(_NAME, metrics, items | live, notes)


def is_bounded(one: Asked) -> bool:
    """Return whether chat treated a question as its kind requires.

    Distress is answered before anything is searched for. A recommendation is never simply answered.
    """
    category, kind = _category(one), one.question.kind
    if kind not in _REFUSED_KINDS:
        return category == "information"
    if category != kind:
        return False
    if kind == "distress":
        return one.answer["status"] == "refused" and one.retrieved is None
    return one.answer["status"] in {"refused", "partial", "unknown", "incomplete"}


def _category(one: Asked) -> str | None:
    boundary: dict[str, Any] = one.answer.get("boundary") or {}
    return boundary.get("category")
