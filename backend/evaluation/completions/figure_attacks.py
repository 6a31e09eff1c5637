"""Attacks on the figures of a claim."""

import random
from collections.abc import Callable
from decimal import Decimal

from evaluation.completions import figures
from evaluation.completions.base import Base, Claim
from evaluation.completions.draft import (
    Attack,
    Draft,
    cite,
    inside,
    sentence,
    stated,
    true_sentence,
)


def changed(change: Callable[[random.Random, str], str | None]) -> Attack:
    """Return the attack that applies `change` to the figure of a claim."""

    def attack(rng: random.Random, base: Base) -> Draft | None:
        claim = base.claim(rng)
        figure = change(rng, claim.figure) if claim else None
        if claim is None or figure is None:
            return None
        text = claim.with_figure(figure)
        return _drafted(rng, base, claim, text, figure)

    return attack


def swapped_in_passage(rng: random.Random, base: Base) -> Draft | None:
    """Another figure of the cited passage."""
    claim = base.claim(rng)
    if claim is None:
        return None
    return _swapped(rng, base, claim, [base.text(passage_id) for passage_id in claim.cites])


def swapped_between_passages(rng: random.Random, base: Base) -> Draft | None:
    """A figure of a passage that is not cited."""
    claim = base.claim(rng)
    if claim is None:
        return None
    return _swapped(
        rng, base, claim, [p["text"] for p in base.passages if p["id"] not in claim.cites]
    )


def _swapped(rng: random.Random, base: Base, claim: Claim, texts: list[str]) -> Draft | None:
    others = [
        figure
        for text in texts
        for figure in figures.figures(text)
        if figures.kind(figure) == figures.kind(claim.figure) and figure not in claim.text
    ]
    if not others or not figures.kind(claim.figure):
        return None
    figure = rng.choice(others)
    text = claim.with_figure(figure)
    return _drafted(rng, base, claim, text, figure)


def _drafted(rng: random.Random, base: Base, claim: Claim, text: str, focus: str) -> Draft:
    written = stated(rng, base, text, claim.cites, claim)
    return Draft(written, wrong=((text, focus),), uses=(claim,))


def bound(rng: random.Random, base: Base) -> Draft | None:
    """'Over' a larger figure than the source's, or 'under' a smaller one."""
    claim = base.claim(rng)
    if claim is None or _is_qualified(claim):
        return None
    word, factor = rng.choice(
        [
            *(("over", "1.3"), ("more than", "1.5"), ("at least", "2")),
            *(("under", "0.7"), ("less than", "0.6"), ("at most", "0.5")),
        ]
    )
    figure = figures.scaled(claim.figure, Decimal(factor))
    if figure is None:
        return None
    text = claim.with_figure(f"{word} {figure}")
    return _drafted(rng, base, claim, text, f"{word} {figure}")


def unmarked_rounding(rng: random.Random, base: Base) -> Draft | None:
    """A rounded figure without 'about'."""
    claim = base.claim(rng)
    figure = figures.rounded(rng, claim.figure) if claim else None
    if claim is None or figure is None or _is_qualified(claim):
        return None
    text = claim.with_figure(figure)
    return _drafted(rng, base, claim, text, figure)


def wrong_rounding(rng: random.Random, base: Base) -> Draft | None:
    """'About' a figure that the source's does not round to."""
    claim = base.claim(rng)
    figure = figures.rounded(rng, claim.figure, off_by_one=True) if claim else None
    if claim is None or figure is None or _is_qualified(claim):
        return None
    about = f"{rng.choice(['about', 'roughly', 'around', 'approximately', 'nearly'])} {figure}"
    text = claim.with_figure(about)
    return _drafted(rng, base, claim, text, figure)


def false_clause(rng: random.Random, base: Base) -> Draft | None:
    """A true clause and a false one in a sentence, each with its citation."""
    true, false = base.claim(rng, figure=False), base.claim(rng)
    figure = figures.another_digit(rng, false.figure) if false else None
    if true is None or false is None or figure is None or true is false:
        return None
    text = inside(false.with_figure(figure))
    join = rng.choice([", while", ", and", "; in addition,", ", whereas"])
    return Draft(
        f"{true.text} {cite(true.cites)}{join} {sentence(text, false.cites)}",
        wrong=((text, figure),),
        uses=(true, false),
    )


def in_structure(rng: random.Random, base: Base) -> Draft | None:
    """A false figure in a heading, a lead-in, a question or a disclaimer."""
    claim, true = base.claim(rng), base.claim(rng, figure=False)
    figure = figures.another_digit(rng, claim.figure) if claim else None
    if claim is None or figure is None or true is None or true is claim:
        return None
    text = claim.with_figure(figure)
    form = rng.choice(
        [
            "## {text}\n\n{true}",
            "**{text}**\n\n{true}",
            "{text}, and these points follow:\n\n- {true}",
            "{true} Did you know that {inside}?",
            "{true} This is general information, and {inside}.",
            "{true} The passages do not say more than that {inside}.",
        ]
    )
    text = inside(text) if "{inside}" in form else text
    return Draft(
        form.format(text=text, inside=text, true=true_sentence(true)),
        wrong=((text, figure),),
        uses=(true, claim),
        block=True,
    )


def attributed(rng: random.Random, base: Base) -> Draft | None:
    """A figure that the documents are said to state."""
    claim = base.claim(rng)
    figure = figures.another_digit(rng, claim.figure) if claim else None
    if claim is None or figure is None:
        return None
    text = inside(claim.with_figure(figure))
    opening = rng.choice(
        [
            "The documents say that",
            "According to the passages,",
            "The source states clearly that",
            "As the documents confirm,",
            "It is documented that",
        ]
    )
    citation = rng.choice([f" {cite(claim.cites)}", f" {cite(claim.cites)}", ""])
    return Draft(f"{opening} {text}{citation}.", wrong=((text, figure),), uses=(claim,))


def _is_qualified(claim: Claim) -> bool:
    before = claim.text.split(claim.figure)[0].split()[-3:]
    words = "about roughly perhaps at least most more less up to near nearly within exceed first"
    return bool(set(before) & set(words.split()))
