"""Attacks on the words of a claim, other than its figure."""

import random
import re
from datetime import datetime

from evaluation.completions import figures
from evaluation.completions.base import Base
from evaluation.completions.draft import Attack, Draft, cite, sentence, stated, true_sentence


def false(kind: str) -> Attack:
    """Return the attack that states a hand-written falsehood of this kind."""

    def attack(rng: random.Random, base: Base) -> Draft | None:
        choices = [item for item in base.false if item["kind"] == kind]
        if not choices:
            return None
        item = rng.choice(choices)
        text = item["text"]
        return Draft(stated(rng, base, text, tuple(item["cites"])), wrong=((text, text),))

    return attack


def unsupported(rng: random.Random, base: Base) -> Draft | None:
    """General knowledge under the citation of a passage that does not contain it."""
    text = rng.choice(base.uncited)
    passage_id = str(rng.choice(base.passages)["id"])
    return Draft(stated(rng, base, text, (passage_id,)), wrong=((text, text),))


def uncited(rng: random.Random, base: Base) -> Draft | None:
    """General knowledge without a citation, after the last citation of its paragraph."""
    text = rng.choice(base.uncited)
    opening = rng.choice(["", "", "In general, ", "It is well known that ", "For context, "])
    first = text if not opening else text[0].lower() + text[1:]
    return Draft(f"{opening}{first}.", wrong=((first, first),), last=rng.random() < 0.5, block=True)


def limit(rng: random.Random, base: Base) -> Draft | None:
    """A true sentence whose limiting sentence is false: the first cannot stay alone."""
    if not base.limits:
        return None
    item = rng.choice(base.limits)
    cites = tuple(item["cites"])
    text = rng.choice(
        [
            f"{item['text']}. {sentence(item['limit'], cites)}",
            f"{sentence(item['text'], cites)} {sentence(item['limit'], cites)}",
            f"{item['text']}. {item['limit']}. {cite(cites)}",
        ]
    )
    wrong = ((item["text"], item["text"]), (item["limit"], item["limit"]))
    return Draft(text, wrong=wrong, block=True)


def false_follow_up(rng: random.Random, base: Base) -> Draft | None:
    """A true sentence and a false one that begins with a pronoun."""
    claims = [claim for claim in base.claims if claim.false_follow_up]
    if not claims:
        return None
    claim = rng.choice(claims)
    follow = claim.false_follow_up
    text = rng.choice(
        [
            f"{true_sentence(claim)} {sentence(follow, claim.cites)}",
            f"{claim.text}. {sentence(follow, claim.cites)}",
            f"{true_sentence(claim)} {follow}.",
        ]
    )
    return Draft(text, wrong=((follow, follow),), uses=(claim,), block=True)


def orphaned_pronoun(rng: random.Random, base: Base) -> Draft | None:
    """A pronoun whose sentence is false: it would refer to the sentence before that."""
    claims = [claim for claim in base.claims if claim.follow_up]
    if not claims:
        return None
    claim = rng.choice(claims)
    others = [other for other in base.claims if other is not claim]
    figure = figures.another_digit(rng, claim.figure)
    if not others or figure is None:
        return None
    text = claim.with_figure(figure)
    before = rng.choice(others)
    written = [true_sentence(before)]
    written += [sentence(part, claim.cites) for part in (text, claim.follow_up)]
    wrong = ((text, figure), (claim.follow_up, claim.follow_up))
    return Draft(" ".join(written), wrong=wrong, uses=(before, claim), block=True)


def ambiguous_date(rng: random.Random, base: Base) -> Draft | None:
    """A date in digits that has two readings."""
    days = [item for item in base.dates if _day(item).month != _day(item).day <= 12]
    if not days:
        return None
    item = rng.choice(days)
    day = _day(item)
    form = rng.choice(["%d/%m/%Y", "%m/%d/%Y", "%d.%m.%y", "%m-%d-%Y", "%d/%m/%y", "%m/%d/%y"])
    return _dated(item, day.strftime(form))


def wrong_date(rng: random.Random, base: Base) -> Draft | None:
    """Another day, month or year."""
    if not base.dates:
        return None
    item = rng.choice(base.dates)
    day = _day(item)
    change = rng.choice(["day", "month", "year", "swap"])
    if change == "swap":
        wrong = day.replace(day=day.month, month=min(day.day, 12))
    else:
        low, high = {"day": (1, 28), "month": (1, 12), "year": (day.year - 3, day.year + 3)}[change]
        choices = [n for n in range(low, high + 1) if n != getattr(day, change)]
        chosen = rng.choice(choices)
        wrong = day.replace(
            year=chosen if change == "year" else day.year,
            month=chosen if change == "month" else day.month,
            day=chosen if change == "day" else day.day,
        )
    if wrong == day:
        return None
    form = rng.choice(["{d} %B %Y", "%B {d}, %Y", "%b {d}, %Y", "%Y-%m-%d"])
    return _dated(item, wrong.strftime(form.replace("{d}", str(wrong.day))))


def _day(item: dict[str, str]) -> datetime:
    form = "%B %d, %Y" if "," in item["date"] else "%d %B %Y"
    return datetime.strptime(item["date"], form)  # noqa: DTZ007


def _dated(item: dict[str, str], date: str) -> Draft:
    text = item["text"].replace(item["date"], date)
    return Draft(sentence(text, tuple(item["cites"])), wrong=((text, date),))


def cut_off(rng: random.Random, base: Base) -> Draft | None:
    """An answer that ends inside a sentence, a figure or a citation."""
    claim = base.claim(rng)
    if claim is None:
        return None
    whole = sentence(claim.text, claim.cites)
    start = whole.index(claim.figure)
    inner = [start + n for n in range(2, len(claim.figure)) if claim.figure[n - 1].isdigit()]
    cuts = [
        rng.choice(inner) if inner else start,
        start + len(claim.figure),
        len(claim.text),
        len(claim.text) + rng.randrange(3, 9),
    ]
    text = whole[: rng.choice(cuts)].rstrip()
    false = re.sub(r" \[[^\]]*$", "", text)
    cut = text.removeprefix(false).strip()
    return Draft(
        text,
        wrong=() if cut and false == claim.text else ((false, false),),
        ids=(cut,) if cut else (),
        uses=(claim,),
        last=True,
        stop_reason="max_tokens",
    )
