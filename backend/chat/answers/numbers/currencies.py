"""Currency signs, codes and words, and the currency before a number."""

from typing import Final

from chat.answers.numbers.token_run import MINUS, TokenRun

SYMBOLS: Final = {"$": "USD", "\u20ac": "EUR", "\u00a3": "GBP", "\u00a5": "JPY", "\u20b9": "INR"}
_PREFIXES: Final = {
    "us": "USD",
    "c": "CAD",
    "ca": "CAD",
    "a": "AUD",
    "au": "AUD",
    "hk": "HKD",
    "nz": "NZD",
    "s": "SGD",
}
CODES: Final = {
    "USD",
    "EUR",
    "GBP",
    "JPY",
    "INR",
    "CHF",
    "CAD",
    "AUD",
    "HKD",
    "NZD",
    "SGD",
    "CNY",
    "SEK",
    "NOK",
    "DKK",
}
CURRENCIES: Final = frozenset(CODES)
CURRENCY_WORDS: Final = {
    "dollar": "USD", "dollars": "USD", "euro": "EUR", "euros": "EUR", "pound": "GBP",
    "pounds": "GBP", "sterling": "GBP", "yen": "JPY", "rupee": "INR", "rupees": "INR",
    "franc": "CHF", "francs": "CHF", "cent": "cent", "cents": "cent", "pence": "pence",
}  # fmt: skip


def currency_before(run: TokenRun, index: int) -> tuple[int, str]:
    """Return the index at which a currency sign or code begins, and its code ("" for none)."""
    before = index - 1
    if before < 0:
        return index, ""
    opened = run.word(before) == "(" and run.word(before - 1) in SYMBOLS
    at = before - 1 if opened else before
    if at >= 1 and run.word(at) in MINUS and run.word(at - 1) in SYMBOLS:
        at -= 1
    text = run.tokens[at].text
    if text in SYMBOLS:
        if run.adjacent(at) and run.word(at - 1) in _PREFIXES:
            return at - 1, _PREFIXES[run.word(at - 1)]
        return at, SYMBOLS[text]
    if text in CODES:
        return at, text
    return index, ""
