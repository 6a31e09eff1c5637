"""Whether two texts relate the same words in the same way.

"From shares to bonds" and "from bonds to shares" have the same words. A relation is a content word
with the preposition or the content word next to it. Two words that have exchanged their relations
change the meaning.
"""

import re
from functools import lru_cache
from typing import Final

from chat.answers.lexicon import word_list
from chat.answers.words import WORD, stem

_GOVERNING: Final = frozenset(
    word_list("""from to in at of by than behind before after over under with without for on
most first then as above below against versus""")
)
_SAME: Final = {"through": "to", "until": "to", "till": "to", "into": "to"}
_OPPOSITE: Final = {"from!": "to!", "to!": "from!"}
_REACH: Final = 2
# "The start of coverage" relates the same as "coverage starts".
_OF_EVENT: Final = re.compile(
    r"\b(start|beginning|end|expiry) of (?:(?:the|an?|your|its|their) )?(\w+)", re.IGNORECASE
)
_TAXED: Final = re.compile(r"\b(after|before|pre|post)-tax (\w+)", re.IGNORECASE)
_WHEN_TAXED: Final = {"pre": "before", "post": "after"}
_TAX_TIME: Final = re.compile(
    r"\b(after|before|pre|post)(?:-|\s+(?:income\s+)?)tax(?:es)?\b", re.IGNORECASE
)
# "Drug spending" is "spending on drugs".
_OF_COMPOUNDS: Final = ("of", "for", "on")
_BOUNDARY: Final = re.compile(r"[,;:.()\u2013\u2014]")

Relations = frozenset[tuple[str, str]]


@lru_cache(maxsize=4096)
def relations(text: str) -> Relations:
    """Return the relations of each content word to the words before and after it."""
    found: set[tuple[str, str]] = set()
    governing, reach = "", 0
    previous, touching, end = "", "", 0
    text = _TAXED.sub(_income_after_tax, _OF_EVENT.sub(r"\2 \1", text))
    for match in WORD.finditer(text):
        word = match[0].lower()
        if _BOUNDARY.search(text, end, match.start()):
            governing, previous, touching = "", "", ""
        # A preposition within "after-tax" or "out-of-pocket" governs nothing.
        inside = "-" in {
            text[match.start() - 1 : match.start()],
            text[match.end() : match.end() + 1],
        }
        end = match.end()
        key = stem(word)
        if (word in _GOVERNING or word in _SAME) and not inside:
            governing, reach, touching = _SAME.get(word, word), 0, ""
            if previous:
                found.add((previous, f"{governing}-"))
            if not key:
                continue
        if not key:
            if word in {"and", "or"}:
                previous = ""
            continue
        if governing and governing != word:
            found.add((key, governing))
            if not reach:
                found.add((key, f"{governing}!"))
            reach += 1
            if reach == _REACH:
                governing = ""
        if previous:
            found |= {(previous, f"{key}+"), (key, f"-{previous}")}
        if touching:
            found.add((touching, f"{key}++"))
        previous = touching = key
    return frozenset(found)


def relations_agree(claim: str, source: str) -> bool:
    """Whether no two words of a claim have exchanged their relations in the source."""
    taxed, taxed_there = _tax_times(claim), _tax_times(source)
    if taxed_there and not taxed <= taxed_there:
        return False
    mine, theirs = relations(claim), relations(source)
    lost = list(mine - theirs)
    for one, governs in lost:
        opposite = _OPPOSITE.get(governs)
        if opposite and (one, opposite) in theirs and (one, opposite) not in mine:
            return False
        for other, also in lost:
            exchanged = (other, governs) in theirs and (one, also) in theirs
            kept = (other, governs) in mine or (one, also) in mine
            if one != other and governs != also and exchanged and not kept:
                # "Adjust the amount" and "the amount adjusted" mean the same.
                inverted = {(one, f"{other}++"), (other, f"{one}++")}
                same = bool(inverted & mine and inverted & theirs)
                if not (same or _is_compound(one, other, mine, theirs)):
                    return False
    return True


def _tax_times(text: str) -> frozenset[str]:
    """Return whether a text speaks of amounts before tax, after tax, both, or neither."""
    return frozenset(
        _WHEN_TAXED.get(found, found) for found in map(str.lower, _TAX_TIME.findall(text))
    )


def _income_after_tax(found: re.Match[str]) -> str:
    when = found[1].lower()
    return f"{found[2]} {_WHEN_TAXED.get(when, when)} tax"


def _is_compound(one: str, other: str, mine: Relations, theirs: Relations) -> bool:
    """Whether one text joins two words that the other connects by a preposition."""
    return any(
        (first, f"{second}++") in joined
        and any({(second, f"{by}-"), (first, by)} <= apart for by in _OF_COMPOUNDS)
        for first, second in ((one, other), (other, one))
        for joined, apart in ((mine, theirs), (theirs, mine))
    )
