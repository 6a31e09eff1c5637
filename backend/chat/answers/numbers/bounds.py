"""Words that bound a figure: at least, up to, more than, about."""

from typing import Final

from chat.answers.lexicon import word_list
from chat.answers.numbers.token_run import TokenRun

# The longest phrases come first: "no more than" contains "more than".
_BEFORE: Final = [
    (tuple(phrase.split()), bound)
    for bound, phrases in (
        (
            "most",
            "no more than|not more than|never more than|never over|never above|"
            "not over|not exceeding|not to exceed|no later than|no "
            "longer than|no higher than|not exceed|never exceed|cannot exceed|can't exceed|"
            "won't exceed|doesn't exceed|don't exceed|isn't over|can't be over|cannot be over|"
            "can't be more than|cannot be more than|a maximum of|maximum of|a cap of|capped at|as "
            "much as|as high as|as many as|as long as|up to|at most|at the most|not above",
        ),
        (
            "least",
            "no less than|not less than|no fewer than|not fewer than|not under|not below|no "
            "lower than|a minimum of|minimum of|as little as|as low as|as few as|at least|"
            "starting at|not earlier than",
        ),
        (
            "nearly",
            "just under|just below|a little under|a bit under|slightly under|slightly below|"
            "slightly less than|nearly|almost|close to|not quite",
        ),
        (
            "over",
            "more than|greater than|higher than|larger than|longer than|older than|bigger than|"
            "in excess of|upwards of|just over|just above|over|above|exceeding|exceeds|exceed|"
            "exceeded|beyond|>",
        ),
        (
            "under",
            "less than|fewer than|lower than|smaller than|shorter than|younger than|cheaper "
            "than|under|below|beneath|<",
        ),
        ("most", "\u2264|maximum|within"),
        ("least", "\u2265|minimum"),
        (
            "about",
            "in the region of|in the order of|somewhere around|an estimated|about|around|"
            "roughly|approximately|approx|circa|some|near|~|\u2248|\u223c",
        ),
    )
    for phrase in phrases.split("|")
]
_AFTER: Final = [
    (tuple(phrase.split()), bound)
    for bound, phrases in (
        (
            "least",
            "or more|or higher|or above|or over|or older|or longer|or greater|or better|and up|"
            "and above|and over|and older|at a minimum|at least|and more|+",
        ),
        (
            "most",
            "or less|or fewer|or lower|or below|or under|or younger|at most|or shorter|and under|"
            "at the most|and below",
        ),
        ("about", "or so|or thereabouts"),
    )
    for phrase in phrases.split("|")
]  # fmt: skip
BOUNDS_BY_LAST_WORD: Final = {
    last: [entry for entry in _BEFORE if entry[0][-1] == last]
    for last in {phrase[-1] for phrase, _ in _BEFORE}
}
_AFTER_BY_FIRST: Final = {
    first: [entry for entry in _AFTER if entry[0][0] == first]
    for first in {phrase[0] for phrase, _ in _AFTER}
}
_SUMS: Final = frozenset({"add", "adds", "added", "adding", "sum", "sums"})
_THRESHOLDS: Final = frozenset(
    word_list("threshold thresholds limit level income earnings balance value amount salary")
)


def bound_before(run: TokenRun, first: int) -> str:
    """Return the bound that the words before a figure set, such as "most" for "up to"."""
    last = first - 2 if run.word(first - 1) in {"the", "a", "an", "."} else first - 1
    # "Above a threshold of 300,000" is above 300,000.
    if run.word(last) == "of" and run.word(last - 1) in _THRESHOLDS:
        article = next((n for n in range(2, 5) if run.word(last - n) in {"a", "an", "the"}), 1)
        last -= article + 1
    for phrase, bound in BOUNDS_BY_LAST_WORD.get(run.word(last), ()):
        begin = last - len(phrase) + 1
        if all(run.word(begin + offset) == word for offset, word in enumerate(phrase)):
            # "Over" is no bound in "spread over thirty years".
            spread = phrase == ("over",) and run.word(begin - 1) in {"spread", "carried"}
            # "Up to" is no bound in "adds up to five".
            spread = spread or (phrase == ("up", "to") and run.word(begin - 1) in _SUMS)
            if bound == "about" and (tighter := bound_before(run, begin)) in {
                "over", "under", "least", "most",
            }:  # fmt: skip
                return tighter  # "Below about five per cent".
            return "" if spread else bound
    return ""


def bound_after(run: TokenRun, index: int) -> tuple[int, str]:
    """Return the index after the bound that follows a figure, such as "or more", and the bound."""
    for phrase, bound in _AFTER_BY_FIRST.get(run.word(index), ()):
        if all(run.word(index + offset) == word for offset, word in enumerate(phrase)):
            return index + len(phrase), bound
    return index, ""


def preposition_before(run: TokenRun, first: int) -> str:
    """Return the preposition before a figure and its bound: "for" in "for up to ten"."""
    last = first - 1
    for phrase, _ in BOUNDS_BY_LAST_WORD.get(run.word(last), ()):
        if all(run.word(last - n) == word for n, word in enumerate(reversed(phrase))):
            last -= len(phrase)
            break
    word = run.word(last)
    return word if word in {"in", "by", "at", "to", "for", "of"} else ""
