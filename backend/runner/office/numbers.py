"""Numbers and dates of spreadsheets as their cells show them."""

import re
from datetime import datetime, time
from functools import lru_cache
from typing import Final, NamedTuple

_LITERAL: Final = re.compile(r'"([^"]*)"|\[\$([^\]-]*)(?:-[^\]]*)?\]|\\(.)|([$\u20ac\u00a3\u00a5])')
_REMOVED: Final = re.compile(r"\[[^\]]*\]|[_*].")
_DIGITS: Final = re.compile(r"([#0?](?:[#0?,. ]*[#0?])?)(,*)")
_PROGRAMS_CHOICE: Final = re.compile(r"general|@|", re.IGNORECASE)
_MOST_DECIMALS: Final = 10
_PRIVATE: Final = 0xE000
_SHOW: Final = {_PRIVATE + ord(one): one for one in "0#?,.%/ "}


def shown(value: object, number_format: str) -> str:
    """Return what a cell shows; empty for an empty cell.

    Percentages, currencies, decimals and groups of digits follow the cell's format. A date is
    written as in ISO 8601, because the format of its cell depends on the reader's country.
    """
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return _number(value, number_format)
    if isinstance(value, datetime):
        return _moment(value)
    return "" if value is None else " ".join(str(value).split())


def _moment(value: datetime) -> str:
    if value.time() == time():
        return value.date().isoformat()
    return value.isoformat(sep=" ", timespec="minutes")


def _number(value: float, number_format: str) -> str:
    positive, _, rest = number_format.partition(";")
    is_negative = value < 0 and rest != ""
    style = _style(rest.partition(";")[0] if is_negative else positive)
    if style is None:
        return f"{value:.12g}"
    amount = (abs(value) if is_negative else value) * style.factor
    return f"{style.before}{amount:{style.digits}}{style.after}".strip()


class _Style(NamedTuple):
    before: str
    digits: str
    after: str
    factor: float


@lru_cache(maxsize=256)
def _style(section: str) -> _Style | None:
    """Return how a section of a format shows numbers; None if it leaves that to the program."""
    is_fraction = "/" in section
    # Literal characters become private ones, so that they are not taken for digits.
    text = _LITERAL.sub(lambda found: "".join(map(_hide, filter(None, found.groups()))), section)
    text = _REMOVED.sub("", text)
    found = _DIGITS.search(text)
    if is_fraction or found is None or _PROGRAMS_CHOICE.fullmatch(section):
        return None
    whole, _, decimals = found[1].partition(".")
    places = min(sum(one in "0#?" for one in decimals), _MOST_DECIMALS)
    return _Style(
        text[: found.start()].translate(_SHOW),
        f"{',' if ',' in whole else ''}.{places}f",
        text[found.end() :].translate(_SHOW),
        # Each comma behind the digits hides three of them.
        (100.0 if "%" in text else 1.0) / 1000 ** len(found[2]),
    )


def _hide(text: str) -> str:
    return "".join(chr(ord(one) + _PRIVATE) if one in "0#?,.%/ " else one for one in text)
