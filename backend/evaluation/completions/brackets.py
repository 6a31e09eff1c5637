"""The forms in which models write citations, and ids that they invent."""

import random

# `{}` is an id, or several with a comma between them.
FORMS = (
    "[{}]",
    "[[{}]]",
    "({})",
    "(see {})",
    "【{}】",
    "【{}†L3-L9】",
    "〔{}〕",  # noqa: RUF001
    "⟦{}⟧",
    "{{{}}}",
    "<{}>",
    "[^{}]",
    "^[{}]",
    "[doc: {}]",
    "[source: {}]",
    "[passage {}]",
    "(Source: {})",
    "[#{}]",
    "`[{}]`",
    "**[{}]**",
    "[{}](https://example.com/)",
    "— {}",
)
SEPARATORS = (", ", "; ", " / ", " and ", " | ", "][", " – ")  # noqa: RUF001
FOOTNOTES = ("[^1]", "¹", "[7]", "[*]", "†", "(12)", "[3, 7]")


def written(rng: random.Random, ids: list[str], form: str) -> str:
    """Return a citation of `ids` in `form`, sometimes in another case."""
    text = form.format(rng.choice(SEPARATORS).join(ids))
    return rng.choice([text, text, text.upper(), text.title()])


def invented(rng: random.Random, known: list[str]) -> str:
    """Return an id in the form of the `known` ones that is none of them."""
    document, number = rng.choice(known).split("#")
    choices = [
        f"{document}#{int(number) + rng.randrange(7, 30)}",
        f"{document}-{rng.choice(['2019', 'appendix', 'annex', 'v2'])}#{number}",
        f"{rng.choice(['irs-pub-590', 'fed-survey', 'annual-letter', 'sec-filing'])}#{number}",
        f"{rng.choice('abcxyz')}{document}#{number}",
        f"doc-{rng.randrange(100, 999)}",
    ]
    return rng.choice(choices)
