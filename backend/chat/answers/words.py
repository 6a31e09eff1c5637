"""The content words of a text, in a form that can be compared."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from chat.answers.lexicon import word_list

WORD: Final = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")

# Articles, pronouns, auxiliaries, prepositions, hedges, and the verbs with which a model refers to
# its sources. Two texts that share them need not share a subject.
_STOP_WORDS: Final = frozenset(
    word_list("""a about above according across actual actually additionally after again against
all almost
also although always am among an and another any apply approximately are around as aside at
based be because become becomes been before being below beneath besides between beyond
both but by can case cases cited come comes could did different do document documents does
doing done down due during each either else etc even ever every example except exactly
excerpt excerpts few finally first following follows for from furthermore general
generally get gets give given gives go goes had happen has have having he hence her here him
his how however i if in include includes including indeed instead into involve involves is
it its itself just keep keeps key know known last later let like likely made main make makes
many material matter may mean means meaning mention mentioned mentions might more moreover
most much must my namely near nearly necessary need needs neither no none nor not note noted
notes nothing now of off often on once one ones only onto or other others otherwise ought
our out over overall own part parts particular passage passages per perhaps possible provide
provided provides put quite rather really reason refer regarding roughly said same say says
see seem set several shall she should show shows similarly simply since so some somebody
someone something sometimes source sources specific state stated states still such summary
sure take taken takes tell tells tend tends text than that the their them then there
therefore these they thing things this those though through throughout thus to together too
toward towards two typical typically under unless until up upon us use used uses using usual ca wo
ai
usually various very via want was way ways we well were what whatever when whenever where
whereas whether which while who whom whose why will with within without would yes yet
you your yours yourself common commonly normal normally able idea point points clear work
works describe describes described explain explains explained good best important""")
)

# Words with one meaning in finance; the first of each line is their stem.
_SYNONYMS: Final = {
    word: line.split()[0]
    for line in """
    share shares stock stocks equities
    withdraw withdrawal withdrawals withdrew withdrawing withdrawn
    buy buys buying bought purchase purchases purchased purchasing
    sell sells selling sold sale sales
    house houses home homes
    year years yearly annual annually annum
    month months monthly
    week weeks weekly
    day days daily
    adviser advisers advisor advisors
    rise rises rising rose risen increase increases increased increasing grow grows growing grew
    rise grown growth climb climbs climbed
    fall falls falling fell fallen decrease decreases decreased decreasing decline declines
    fall declined declining drop drops dropped
    high higher highest
    low lower lowest
    little less fewer
    lose loses losing lost loss losses
    gain gains gained gaining
    profit profits profitable
    cost costs costing costly
    pay pays paying paid payment payments
    spend spends spending spent expenditure
    save saves saving savings saved
    tax taxes taxed taxing taxation taxable
    employer employers
    employee employees
    borrower borrowers
    lender lenders
    maximum maximal max
    minimum minimal min
    begin begins beginning began begun start starts starting started
    choose chooses choosing chose chosen choice choices
    old older oldest
    young younger youngest
    cheap cheaper cheapest
    worth value valued values valuable
    protect protects protected protection protections cover covers covered coverage
    fee fees charge charges charged
    limit limits limited cap caps capped ceiling
    expensive expensiver pricier
    customer customers client clients
    company companies firm firms business businesses
    spouse spouses husband husbands wife wives
    child children kid kids
    die dies died death deaths
    remain remains remaining left rest outstanding
    swing swings fluctuation fluctuations fluctuate fluctuates volatility volatile
    mature matures matured maturity maturities
    phone telephone telephones
    end ends ended ending expire expires expired expiry
    fall reduce reduces reduced reducing reduction shrink shrinks shrank shrinking
    rise raise raises raised raising widen widens widened
    receive receives received receiving obtain obtains obtained
    penalty penalties penalised fine fines
    danger dangers risk risks risky
    """.strip().splitlines()
    for word in line.split()
}

# "You're" and "isn't" count as "you" and "is"; `negations` reads the negation.
_CONTRACTED: Final = re.compile(r"(?:'(?:s|re|ll|ve|d|m)|n't)$")

_SUFFIXES: Final = (
    "ization", "isation", "ations", "ation", "ments", "ment", "ities", "ity", "ness", "ings", "ing",
    "ions", "ion", "ally", "ies", "ied", "ers", "ely", "ed", "er", "es", "ly", "al",
    "s", "e", "y",
)  # fmt: skip

# Long enough to distinguish words, short enough that "retire" and "retirement" are equal.
_STEM_CHARACTERS: Final = 6


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """Return the stem that all forms of a word share; an empty string for a stop word."""
    word = word.lower().replace("\u2019", "'")
    word = _CONTRACTED.sub("", word)
    word = word.replace("'", "")
    if word in _STOP_WORDS or (len(word) < 2 and word.isascii()):
        return ""
    if word in _SYNONYMS:
        return _SYNONYMS[word]
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            word = word[: -len(suffix)]
            break
    if len(word) > 3 and word[-1] == word[-2]:
        word = word[:-1]
    return word[:_STEM_CHARACTERS]


_NET: Final = frozenset({"incom", "profit", "earn", "lose"})
_START: Final = re.compile(r"[.!?:|#*\u2022]|- |\n\n")


class Word(NamedTuple):
    """A content word: any word that is no stop word."""

    stem: str
    start: int
    end: int
    is_name: bool
    """Whether it is capitalised where a common word would not be."""


@lru_cache(maxsize=4096)
def content_words(text: str) -> Sequence[Word]:
    """Return the content words of a text in their order."""
    found: list[Word] = []
    sentence_start = True
    position = 0
    for match in WORD.finditer(text):
        raw = match[0]
        if match.start() > position + 1 and _START.search(text, position, match.start()):
            sentence_start = True
        position = match.end()
        # "Fund A" and "class B" are names; "A bond" and "I" are not.
        is_label = (
            len(raw) == 1 and raw.isupper() and raw != "I" and (raw != "A" or not sentence_start)
        )
        dotted = text[match.end() : match.end() + 1] == "." and (
            text[match.start() - 1 : match.start()] == "."
            or text[match.end() + 1 : match.end() + 2].isalpha()
        )
        if len(raw) == 1 and dotted:
            is_label = False  # "U.S." is no label.
        key = raw.lower() + "." if is_label else stem(raw)
        # Net income, profit, earnings and loss are names of the same line of a financial statement.
        if key in _NET and found and found[-1].stem == "net" and match.start() - found[-1].end <= 1:
            key = "incom"
        if key:
            all_capitals = raw.isupper() and len(raw) > 1
            found.append(
                Word(
                    key,
                    match.start(),
                    match.end(),
                    is_label or all_capitals or (raw[0].isupper() and not sentence_start),
                )
            )
        sentence_start = False
    return tuple(found)
