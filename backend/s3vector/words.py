"""The words of a text, as a lexical search compares them.

* Case and Unicode form do not count: NFKC, then case folding.
* A word may contain marks: `10-K`, `401(k)`, `BRK.B`, `S&P` are one word each, without the marks
  (`10k`, `401k`, `brkb`, `sp`), because people write `401k` as well. Their parts of two characters
  and more are words too: `short-term` is found by `term`.
* A mark between two digits stays: `4.5` is not `45`, nor a date a number. The comma that groups
  thousands does not: `23,500` is `23500`.
* `§ 401` is one word, beside `401`.
* Scripts that put no spaces between words give their pairs of adjacent characters.
"""

import re
from typing import Final
from unicodedata import normalize

VERSION: Final = 1
"""The version of these rules: words that other rules made cannot be compared with."""

# Thai, Lao, Myanmar, Khmer, the scripts of Japanese, Chinese, and Korean, which joins words.
_UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
)
# Vowel signs and accents, which Python's \w leaves out.
_SIGNS: Final = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a"
    "\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0900-\u0903"
    "\u093a-\u094f\u0951-\u0957\u0962\u0963\u0981-\u0983\u09bc-\u09cd\u0a01-\u0a03\u0a3c-\u0a4d"
    "\u0a81-\u0a83\u0abc-\u0acd\u0b01-\u0b03\u0b3c-\u0b4d\u0bbe-\u0bcd\u0c00-\u0c04\u0c3e-\u0c4d"
    "\u0cbc-\u0ccd\u0d3b-\u0d4d\u0dca-\u0ddf\u200c\u200d"
)
_PLAIN: Final = rf"[^\W_{_UNSPACED}]+(?:[{_SIGNS}]+[^\W_{_UNSPACED}]*)*"
_MARK: Final = r"[-.,:/&_\u2010\u2011]"
_WORD: Final = re.compile(
    rf"(\u00a7+\s?)?({_PLAIN})((?:{_MARK}{_PLAIN}|\({_PLAIN}\))*)"
    rf"|([{_UNSPACED}][{_UNSPACED}{_SIGNS}]*)"
)
# What a word is joined without: a comma of thousands, and a mark that is not between two digits.
_LEFT_OUT: Final = re.compile(
    rf"(?<=\d),(?=\d{{3}}(?!\d))|(?<!\d)(?:{_MARK}|[()])|(?:{_MARK}|[()])(?!\d)"
)
_NUMBER: Final = re.compile(r"[\d.,]+")
_PART: Final = re.compile(_PLAIN)
_SHORTEST_PART: Final = 2
# Longer ones are addresses of pages and the like, which nobody writes twice.
_LONGEST_WHOLE: Final = 24


def words_of(text: str) -> list[str]:
    """Return the words in the order of the text; a word that occurs twice is there twice."""
    if not text.isascii():
        text = normalize("NFKC", text)
    words: list[str] = []
    for section, start, more, unspaced in _WORD.findall(text.casefold()):
        if unspaced:
            words += _pairs(unspaced)
            continue
        if more:
            words += _with_parts(start + more)
        else:
            words.append(start)
        if section:
            words.append(f"\u00a7{words[-1]}")
    return words


def _pairs(text: str) -> list[str]:
    return [text[start : start + 2] for start in range(len(text) - 1)] or [text]


def _with_parts(word: str) -> list[str]:
    whole = _LEFT_OUT.sub("", word)
    if _NUMBER.fullmatch(word):
        return [whole]
    parts = [one for one in _PART.findall(word) if len(one) >= _SHORTEST_PART]
    return [*parts, whole] if len(whole) <= _LONGEST_WHOLE else parts or [whole]
