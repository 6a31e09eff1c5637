"""Dates in their usual forms, and identifiers: names that contain digits, such as 401(k)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from chat.answers.lexicon import word_list

_NAMES: Final = word_list(
    """January February March April May June July August September October November December"""
)
_NUMBER_OF: Final = {
    form: number
    for number, name in enumerate(_NAMES, start=1)
    for form in (name, name.upper(), name[:3], name[:3].upper(), "Sept" if number == 9 else name)
}
_MONTH: Final = r"(?P<month>" + "|".join(sorted(_NUMBER_OF, key=len, reverse=True)) + r")\b\.?"
_DAY: Final = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR: Final = r"(?P<year>(?:19|20|21)\d\d)"
_ORDINALS: Final = {
    "first": 1,
    "second": 2,
    "third": 3,
    "fourth": 4,
    "1st": 1,
    "2nd": 2,
    "3rd": 3,
    "4th": 4,
}

_FORMS: Final = [
    re.compile(form)
    for form in (
        rf"(?<![\d.-]){_YEAR}-(?P<number>\d\d)-(?P<day>\d\d)(?:T[\d:.]+Z?)?(?![\d-])",
        rf"\b{_DAY}(?:\s+of)?\s+{_MONTH},?\s+{_YEAR}\b",
        rf"\b{_MONTH}\s+{_DAY},?\s+{_YEAR}\b",
        rf"\b{_MONTH},?\s+(?:of\s+)?{_YEAR}\b",
        rf"\b{_MONTH}\s+{_DAY}\b(?![%.,]?\d|\s*(?:%|per\s?cent))",
        rf"\b{_DAY}(?:\s+of)?\s+{_MONTH}(?=\W|$)",
        r"(?<![\d./])(?P<one>\d{1,2})(?P<mark>[/.])(?P<two>\d{1,2})(?P=mark)(?P<year>\d{4}|"
        r"\d\d)(?![\d/])",
        rf"\b[Qq](?P<quarter>[1-4])(?:\s+(?:of\s+)?(?:FY\s?)?|[-/]){_YEAR}\b",
        rf"\b{_YEAR}\s?[Qq](?P<quarter>[1-4])\b",
        r"\b(?i:(?P<ordinal>first|second|third|fourth|1st|2nd|3rd|4th)[ "
        r"-]quarter)\s+(?:of\s+)?(?:fiscal\s+)?"
        rf"(?:year\s+)?{_YEAR}\b",
        rf"(?<![\d./-]){_YEAR}[/\u2013-](?P<next>\d\d)(?![\d/.,\u2013-])",  # the tax year 2025/26
        rf"\b(?i:FY|fiscal\s+year|fiscal)[\s-]?{_YEAR}\b",
        r"\bFY\s?'?(?P<short>\d\d)\b",
        r"\b(?P<decade>(?:19|20)\d)0s\b",
    )
]
_ANY_YEAR: Final = re.compile(r"(?:19|20|21)\d\d")


@dataclass(frozen=True, slots=True)
class Date:
    """A day, a month, a quarter, a year or a decade. A part that is not given is 0."""

    year: int = 0
    month: int = 0
    day: int = 0
    quarter: int = 0
    decade: int = 0
    ambiguous: bool = False

    def agrees_with(self, source: "Date") -> bool:
        """Whether the source gives this date, or a more exact date within it."""
        if self.ambiguous or source.ambiguous:
            return False
        return all(
            mine in (0, theirs)
            for mine, theirs in (
                (self.year, source.year),
                (self.month, source.month),
                (self.day, source.day),
                (self.quarter, source.quarter),
                (self.decade, source.decade),
            )
        )

    def __str__(self) -> str:
        return f"{self.year}-{self.month}-{self.day}-{self.quarter}-{self.decade}"


def dates(text: str) -> Iterator[tuple[int, int, Date]]:
    """Yield the start, end and date of each date in a text, except bare years."""
    taken: list[tuple[int, int]] = []
    for form in _FORMS:
        for match in form.finditer(text):
            if any(match.start() < end and start < match.end() for start, end in taken):
                continue
            parts = match.groupdict()
            date = _date(parts)
            if date.month > 12 or date.day > 31:
                continue  # 50/30/20 is a split.
            if (following := parts.get("next")) and int(following) != (date.year + 1) % 100:
                continue
            taken.append(match.span())
            yield *match.span(), date


def _date(parts: dict[str, str | None]) -> Date:
    month = _NUMBER_OF.get(parts.get("month") or "", 0) or int(parts.get("number") or 0)
    day = int(parts.get("day") or 0)
    year = int(parts.get("year") or 0)
    if short := parts.get("short"):
        year = 2000 + int(short)
    if parts.get("one"):
        if year < 100:
            year += 2000 if year < 70 else 1900
        one, two = int(parts["one"] or 0), int(parts["two"] or 0)
        if one > 12 >= two:
            return Date(year, two, one)
        if two > 12 >= one:
            return Date(year, one, two)
        # 3/4/2026 is a day in March or in April; 4/4/2026 is one day either way.
        return Date(year, one, two, ambiguous=one != two)
    quarter = int(parts.get("quarter") or 0) or _ORDINALS.get(
        (parts.get("ordinal") or "").lower(), 0
    )
    return Date(year, month, day, quarter, int(parts.get("decade") or 0))


def is_year(digits: str) -> bool:
    """Whether digits without a unit are a year."""
    return _ANY_YEAR.fullmatch(digits) is not None


_IDENTIFIER: Final = re.compile(
    r"\b\d{1,4}\([a-z]\)(?:\(\d+\))?"  # 401(k), 501(c)(3)
    r"|\b(?:10|8|6|20|40|11)-[KQF](?:/A)?\b"
    r"|\b[A-Z]{1,2}-\d{1,2}[A-Z]?\b"  # W-2, S-1
    r"|\b(?:1099|1098|5498|1040)(?:-?[A-Z]{1,4})?\b"
    r"|\u00a7+\s*\d+[\w.()-]*"
    r"|\b(?i:section|sec\.|rule|form|schedule|publication|pub\.|article|art\.|item|note|chapter|"
    r"part|table|figure|exhibit|level|tier|topic|asc|ifrs|ias|sfas|regulation|title|basel|no\.|"
    r"appendix|page|step)\s+\d+[\w-]*(?:\([a-z0-9]+\))*"
    r"|\b(?:S&P|Russell|FTSE|Nikkei|Dow|Nasdaq|NASDAQ|CAC|DAX|Wilshire|STOXX|Fortune|ISO|SOC)[\s-]+"
    r"\d+\b"
    r"|\b[Rr]ule of \d+\b"
    r"|\bCOVID-19\b|\b401k\b|\b403b\b",
)
_NOT_IN_KEY: Final = re.compile(r"[^a-z0-9]")


def identifiers(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield the start, end and comparable form of each identifier in a text."""
    for match in _IDENTIFIER.finditer(text):
        yield *match.span(), _NOT_IN_KEY.sub("", match[0].lower())
