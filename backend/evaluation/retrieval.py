"""Retrieval: whether the passages that answer a question are found, and at which rank."""

import math
from collections import defaultdict
from collections.abc import Sequence

from evaluation.question import Place
from evaluation.section import Section, mean, share
from evaluation.services import TOP_K, Asked


def measure(asked: Sequence[Asked]) -> Section:
    """Return recall, nDCG and MRR of the questions with places, and what the relevance gate did."""
    with_places = [one for one in asked if one.question.places]
    without = [one for one in asked if one.question.kind == "unanswerable"]
    recalls = {one.question.id: recall(one, TOP_K) for one in with_places}
    by_kind: dict[str, list[Asked]] = defaultdict(list)
    for one in with_places:
        by_kind[one.question.kind].append(one)
    kept = [_is_relevant(one) for one in with_places]
    metrics = {
        "recall@1": mean([recall(one, 1) for one in with_places]),
        "recall@3": mean([recall(one, 3) for one in with_places]),
        f"recall@{TOP_K}": mean(list(recalls.values())),
        f"ndcg@{TOP_K}": mean([ndcg(one, TOP_K) for one in with_places]),
        "mrr": mean([reciprocal_rank(one) for one in with_places]),
        "answerable_kept": share(kept),
        "unanswerable_stopped": share([not _is_relevant(one) for one in without]),
        "passages_by_filter": share(
            [_only_matching(one) for one in asked if one.question.filter is not None]
        ),
    }
    for kind, some in sorted(by_kind.items()):
        metrics[f"recall@{TOP_K} {kind}"] = mean([recalls[one.question.id] for one in some])
        metrics[f"ndcg@{TOP_K} {kind}"] = mean([ndcg(one, TOP_K) for one in some])
    items = {
        one.question.id: recalls[one.question.id] == 1 and _is_relevant(one) for one in with_places
    }
    notes = [_note(one) for one in with_places if not items[one.question.id]]
    return Section("retrieval", metrics, items, notes)


def recall(one: Asked, k: int) -> float:
    """Return the share of a question's places that are in the first `k` passages."""
    gains = _gains(one)[:k]
    found = set().union(*gains) if gains else set()
    return len(found) / len(one.question.places)


def ndcg(one: Asked, k: int) -> float:
    """Return the normalized discounted cumulative gain with binary relevance.

    A place counts once, at the first passage that has it.
    """
    seen: set[Place] = set()
    gain = 0.0
    for rank, places in enumerate(_gains(one)[:k], start=1):
        if places - seen:
            gain += 1 / math.log2(rank + 1)
            seen |= places
    wanted = min(len(one.question.places), k)
    return min(1.0, gain / sum(1 / math.log2(rank + 1) for rank in range(1, wanted + 1)))


def reciprocal_rank(one: Asked) -> float:
    """Return 1 divided by the rank of the first right passage; 0 without one."""
    ranks = [rank for rank, places in enumerate(_gains(one), start=1) if places]
    return 1 / ranks[0] if ranks else 0.0


def _gains(one: Asked) -> list[set[Place]]:
    """Return, for each retrieved passage, the places that it has."""
    if one.retrieved is None:
        return []
    return [
        {place for place in one.question.places if place.is_in(found.document_id, found.text)}
        for found in one.retrieved.passages
    ]


def _is_relevant(one: Asked) -> bool:
    return one.answer.get("relevance") not in {None, "irrelevant"}


def _only_matching(one: Asked) -> bool:
    """Whether a filtered search found the documents of the label and no others."""
    if one.retrieved is None:
        return False
    found = {passage.document_id for passage in one.retrieved.passages}
    return found == {place.document for place in one.question.places}


def _note(one: Asked) -> str:
    found = [] if one.retrieved is None else [each.passage_id for each in one.retrieved.passages]
    wanted = ", ".join(place.document for place in one.question.places)
    return f"{one.question.id}: wanted {wanted}; found {', '.join(found) or 'nothing'}"
