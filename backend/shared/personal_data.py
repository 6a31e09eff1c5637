"""Masks personal numbers in a text before it reaches a model, an index or a log line.

Masked are card numbers (Luhn), IBANs (ISO 7064 mod 97-10) and national identity numbers. A number
is masked only if its check digits are right, or, for the two that have none (US social security
and UK national insurance numbers), if it is written in the official form. So amounts, years and
phone numbers stay.
"""

import re
from collections.abc import Callable, Sequence
from datetime import date
from functools import cache
from typing import Final, NamedTuple

# No masked number has fewer than six digits with at most one other character between two of them.
_CANDIDATE: Final = re.compile(r"\d(?:\D?\d){5}")
_SEPARATOR: Final = re.compile(r"[ .\u00a0\u2010-\u2013-]")
# Not a part of a longer word or number, and not an amount of money.
_BEFORE: Final = r"(?<![\w$\u20ac\u00a3\u00a5])(?<!\d[.,/])"
_AFTER: Final = r"(?![\w%])(?![.,]\d)"

_CARD_ISSUERS: Final = re.compile(
    r"4(?:\d{15}|\d{18})|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"
    r"|3[47]\d{13}|3(?:0[0-59]|[68]\d)\d{11,16}|(?:6011|64[4-9]\d|65\d\d|35\d\d|62\d\d)\d{12,15}"
    r"|(?:50\d\d|5[6-9]\d\d|6\d{3})\d{10,15}"
)
_IBAN_LENGTHS: Final = {
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FI FK FO GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU MN XK",
        21: "CH HR LI LV", 22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "LY PT ST", 26: "IS TR",
        27: "BI DJ FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HU LB NI PL SV", 29: "BR EG PS QA UA",
        30: "JO KW MU YE", 31: "MT SC", 32: "LC", 33: "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip
_DNI_LETTERS: Final = "TRWAGMYFPDXBNJZSQVHLCKE"
_PESEL_CENTURIES: Final = {0: 1900, 20: 2000, 40: 2100, 60: 2200, 80: 1800}
# The value of a character at an odd place of a codice fiscale; at an even place it is its index.
_FISCALE_ODD: Final = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21) * 2
        + (2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
        strict=True,
    )
)


def mask(text: str) -> str:
    """Return the text with `[card number]` and the like in place of personal numbers.

    A masked text stays as it is when it is masked again.
    """
    if not _CANDIDATE.search(text):
        return text
    for kind in _kinds():
        text = kind.mask(text)
    return text


class _Kind(NamedTuple):
    """A kind of number.

    Attributes:
        label: What is written in its place.
        pattern: Its written forms.
        is_valid: Whether one without separators, in upper case, is valid.
        has_any_length: Whether the pattern may match groups that follow the number.
    """

    label: str
    pattern: re.Pattern[str]
    is_valid: Callable[[str], bool]
    has_any_length: bool

    def mask(self, text: str) -> str:
        parts: list[str] = []
        done = 0
        found = self.pattern.search(text)
        while found:
            start, end = found.span()
            stops = [start + stop.start() for stop in _SEPARATOR.finditer(found[0])]
            # "4111 1111 1111 1111 123": the code on the back of a card is often written behind it.
            ends = (end, *reversed(stops)) if self.has_any_length else (end,)
            valid = next((one for one in ends if self._fits(text, start, one)), 0)
            if valid:
                parts += [text[done:start], f"[{self.label}]"]
                done = valid
            # The number may begin with a later group: "1234 4111 1111 1111 1111".
            found = self.pattern.search(text, valid or min(stops, default=end - 1) + 1)
        return "".join([*parts, text[done:]])

    def _fits(self, text: str, start: int, end: int) -> bool:
        number = "".join(filter(str.isalnum, text[start:end])).upper()
        return self.is_valid(number)


@cache
def _kinds() -> Sequence[_Kind]:
    # Compiled at first use: most processes see no text with as many digits.
    between = f"{_SEPARATOR.pattern}?"
    forms: Sequence[tuple[str, str, Callable[[str], bool]]] = (
        ("IBAN", rf"[A-Z]{{2}}\d\d(?:{between}[A-Z\d]){{11,29}}", _is_iban),
        (
            "card number",
            rf"\d{{14,19}}|\d{{4}}(?P<by>{_SEPARATOR.pattern})(?:\d{{6}}(?P=by)\d{{4,5}}"
            r"|\d{4}(?P=by)\d{4}(?P=by)\d{2,4})(?:(?P=by)\d{1,4})?",
            _is_card,
        ),
        (
            "social security number",
            rf"(?<!\d-)\d{{3}}(?P<by>{_SEPARATOR.pattern})\d\d(?P=by)\d{{4}}(?!-\d)",
            _is_social_security,
        ),
        (
            "national insurance number",
            rf"[ABCEGHJ-PRSTW-Z][ABCEGHJ-NPRSTW-Z](?:{between}\d\d){{3}}{between}[A-D]",
            _is_national_insurance,
        ),
        ("national id", rf"(?:[XYZ]{between}\d{{7}}|\d{{8}}){between}[A-Z]", _is_dni),
        (
            "national id",
            rf"[12]{between}\d\d{between}(?:0[1-9]|1[0-2]|[2-9]\d){between}"
            rf"(?:\d\d|2[AB])(?:{between}\d{{3}}){{2}}{between}\d\d",
            _is_nir,
        ),
        ("national id", r"[A-Z]{6}\d\d[ABCDEHLMPRST]\d\d[A-Z]\d{3}[A-Z]", _is_codice_fiscale),
        ("national id", r"\d{11}", _is_pesel),
        ("national id", r"\d{3}\.\d{3}\.\d{3}-\d\d", _is_cpf),
    )
    # ASCII: `\d` must not match the digits of other scripts.
    flags = re.IGNORECASE | re.ASCII
    return tuple(
        _Kind(
            label,
            re.compile(f"{_BEFORE}(?:{form}){_AFTER}", flags),
            is_valid,
            has_any_length=is_valid in {_is_iban, _is_card},
        )
        for label, form, is_valid in forms
    )


def _is_card(number: str) -> bool:
    return bool(_CARD_ISSUERS.fullmatch(number)) and _luhn(number)


def _luhn(number: str) -> bool:
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in number[-2::-2])
    return (sum(map(int, number[-1::-2])) + sum(doubled)) % 10 == 0


def _is_iban(number: str) -> bool:
    if _IBAN_LENGTHS.get(number[:2]) != len(number):
        return False
    return int("".join(str(int(one, 36)) for one in number[4:] + number[:4])) % 97 == 1


def _is_social_security(number: str) -> bool:
    # Areas from 900 are taxpayer numbers (ITIN), whose group begins with 5 to 9.
    area, group, serial = number[:3], number[3:5], number[5:]
    if area in {"000", "666"} or group == "00" or serial == "0000":
        return False
    return area < "900" or group >= "50"


def _is_national_insurance(number: str) -> bool:
    return number[:2] not in {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}


def _is_dni(number: str) -> bool:
    digits = number[:-1].translate(str.maketrans("XYZ", "012"))
    return _DNI_LETTERS[int(digits) % 23] == number[-1]


def _is_nir(number: str) -> bool:
    # The two departments of Corsica have letters.
    digits = int(number[:-2].replace("2A", "19").replace("2B", "18"))
    return 97 - digits % 97 == int(number[-2:])


def _is_codice_fiscale(number: str) -> bool:
    odd = sum(_FISCALE_ODD[one] for one in number[:15:2])
    even = sum(int(one) if one.isdigit() else ord(one) - ord("A") for one in number[1:15:2])
    return chr(ord("A") + (odd + even) % 26) == number[-1]


def _is_pesel(number: str) -> bool:
    month = int(number[2:4])
    century = _PESEL_CENTURIES[month // 20 * 20]
    try:
        date(century + int(number[:2]), month % 20, int(number[4:6]))
    except ValueError:
        return False
    weighted = zip((1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1), map(int, number), strict=True)
    return sum(weight * digit for weight, digit in weighted) % 10 == 0


def _is_cpf(number: str) -> bool:
    if len(set(number)) == 1:
        return False
    for length in (9, 10):
        weighted = zip(range(length + 1, 1, -1), map(int, number[:length]), strict=True)
        if sum(weight * digit for weight, digit in weighted) * 10 % 11 % 10 != int(number[length]):
            return False
    return True
