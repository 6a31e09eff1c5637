"""Generates attacked completions: figures, statements and citations that must not reach a caller.

`python -m evaluation.completions.adversarial` prints them as JSON lines.
"""

import dataclasses
import json
import random
import sys
from collections.abc import Iterator

from evaluation.completions import (
    arithmetic_attacks,
    citation_attacks,
    figure_attacks,
    figures,
    statement_attacks,
    table_attack,
)
from evaluation.completions.base import Base, Claim, bases
from evaluation.completions.case import Case, fragment, plain
from evaluation.completions.draft import Attack, Draft, true_sentence

SEED = 20_250_401
_TRIES = 3000

ATTACKS: dict[str, Attack] = {
    "figure_of_same_passage": figure_attacks.swapped_in_passage,
    "figure_of_other_passage": figure_attacks.swapped_between_passages,
    "digit_changed": figure_attacks.changed(figures.another_digit),
    "number_word_changed": figure_attacks.changed(figures.another_word),
    "unit_changed": figure_attacks.changed(figures.another_unit),
    "currency_changed": figure_attacks.changed(figures.another_currency),
    "scale_changed": figure_attacks.changed(figures.another_scale),
    "bound_wrong": figure_attacks.bound,
    "rounding_unmarked": figure_attacks.unmarked_rounding,
    "rounding_wrong": figure_attacks.wrong_rounding,
    "clause_false": figure_attacks.false_clause,
    "figure_in_structure": figure_attacks.in_structure,
    "figure_attributed": figure_attacks.attributed,
    "calculation_wrong": arithmetic_attacks.wrong_calculation,
    "operand_unproven": arithmetic_attacks.unproven_operand,
    "count_wrong": arithmetic_attacks.wrong_count,
    "label_swapped": statement_attacks.false("label_swapped"),
    "table_swapped": table_attack.swapped,
    "year_swapped": statement_attacks.false("year_swapped"),
    "negation_changed": statement_attacks.false("negated"),
    "meaning_turned": statement_attacks.false("turned"),
    "claim_unsupported": statement_attacks.unsupported,
    "claim_uncited": statement_attacks.uncited,
    "limit_false": statement_attacks.limit,
    "follow_up_false": statement_attacks.false_follow_up,
    "pronoun_orphaned": statement_attacks.orphaned_pronoun,
    "date_ambiguous": statement_attacks.ambiguous_date,
    "date_wrong": statement_attacks.wrong_date,
    "cut_off": statement_attacks.cut_off,
    "id_invented": citation_attacks.invented_id,
    "source_invented": citation_attacks.invented_source,
    "id_of_other_passage": citation_attacks.other_passage,
    "id_of_neighbouring_passage": citation_attacks.neighbouring_passage,
    "bracket_other_passage": citation_attacks.bracket_other_passage,
    "bracket_id_invented": citation_attacks.bracket_invented_id,
    "bracket_figure_false": citation_attacks.bracket_false_figure,
    "footnote_without_source": citation_attacks.footnote,
    "marker_in_passage": citation_attacks.marker_in_passage,
    "denial_cited": citation_attacks.denial,
}


def generate(count: int = 1000, seed: int = SEED) -> Iterator[Case]:
    """Yield `count` different cases, about as many of each attack, the same for the same seed."""
    rng = random.Random(seed)  # noqa: S311
    seen: set[str] = set()
    names = list(ATTACKS)
    for number in range(count):
        name = names[number % len(names)]
        case = _new_case(rng, name, seen, number)
        seen.add(case.completion)
        yield case


def _new_case(rng: random.Random, name: str, seen: set[str], number: int) -> Case:
    for _ in range(_TRIES):
        base = rng.choice(bases())
        draft = ATTACKS[name](rng, base)
        case = draft and _case(rng, f"{name}-{number:04}", name, base, draft)
        if case and case.completion not in seen:
            return case
    raise ValueError(f"the attack {name} finds no new case: add to bases.jsonl or ask for fewer")


def _case(rng: random.Random, case_id: str, name: str, base: Base, draft: Draft) -> Case | None:
    """Put true claims around the draft. None if the forbidden text also occurs in allowed text."""
    passages = list(draft.passages or base.passages)
    rng.shuffle(passages)
    companions = _companions(rng, base, draft)
    allowed = [p["text"] + " " + p["title"] + " " + p["id"] for p in passages]
    allowed += [base.question, "[1] [2] [3] [4] [5] [6] [7] [8] [9]"]
    is_cut = draft.stop_reason != "end_turn"  # what is cut off is the beginning of a true claim
    allowed += [claim.text for claim in base.claims if not (is_cut and claim in draft.uses)]
    forbidden = [fragment(text, focus, allowed) for text, focus in draft.wrong]
    known = plain(" ".join(allowed)).casefold()
    if None in forbidden or any(sign.casefold() in known for sign in draft.ids):
        return None
    return Case(
        id=case_id,
        attack=name,
        base=base.id,
        question=base.question,
        passages=tuple(passages),
        completion=_completion(rng, companions, draft),
        stop_reason=draft.stop_reason,
        forbidden=(*(piece for piece in forbidden if piece), *draft.ids),
        wrong_citations=draft.wrong_citations,
    )


def _companions(rng: random.Random, base: Base, draft: Draft) -> list[Claim]:
    """Return some true claims that do not contain the draft's text, errors or wrong citations."""
    others = [
        claim
        for claim in base.claims
        if claim not in draft.uses
        and claim.text not in draft.text
        and not set(claim.cites) & set(draft.wrong_citations)
        and not any(wrong in claim.text for wrong, _ in draft.wrong)
    ]
    return rng.sample(others, min(len(others), rng.randrange(4)))


def _completion(rng: random.Random, companions: list[Claim], draft: Draft) -> str:
    true = [true_sentence(claim) for claim in companions]
    at = len(true) if draft.last else rng.randrange(len(true) + 1)
    if draft.block:
        before, after = " ".join(true[:at]), " ".join(true[at:])
        return "\n\n".join(part for part in (before, draft.text, after) if part)
    parts = [*true[:at], draft.text, *true[at:]]
    lead = rng.choice(["", "Here is what the documents say:\n\n", "**Answer**\n\n"])
    layout = rng.choice(["prose", "prose", "paragraphs", "bullets", "numbers", "table"])
    if layout == "prose":
        return " ".join(parts)
    if layout == "paragraphs":
        return "\n\n".join(parts)
    if layout == "table" and "|" not in "".join(parts):
        rows = [f"| {n + 1} | {part} |" for n, part in enumerate(parts)]
        return lead + "\n".join(["| # | Statement |", "|---|---|", *rows])
    marks = [f"{n + 1}. " if layout == "numbers" else "- " for n in range(len(parts))]
    return lead + "\n".join(mark + part for mark, part in zip(marks, parts, strict=True))


if __name__ == "__main__":
    for generated in generate():
        sys.stdout.write(json.dumps(dataclasses.asdict(generated), ensure_ascii=False) + "\n")
