"""A run of tokens without dates and identifiers, in which the numbers are looked for."""

from dataclasses import dataclass
from typing import Final

from chat.answers.numerals import Token, numeral_at

HYPHENS: Final = frozenset({"-", "\u2010", "\u2011", "\u2013"})
MINUS: Final = frozenset({"-", "\u2212", "\u2013"})


@dataclass(frozen=True, slots=True)
class TokenRun:
    """Tokens of a text, which may be asked for beyond both ends.

    Attributes:
        in_table: Whether parentheses around a number make it negative in any case.
    """

    text: str
    tokens: list[Token]
    in_table: bool = False

    def low(self, index: int) -> str:
        """Return a token in lower case, or an empty string beyond the ends."""
        return self.tokens[index].low if 0 <= index < len(self.tokens) else ""

    def adjacent(self, index: int) -> bool:
        """Whether a token touches the one before it."""
        return 0 < index < len(self.tokens) and (
            self.tokens[index - 1].end == self.tokens[index].start
        )


def is_number_at(run: TokenRun, index: int) -> bool:
    """Whether a number begins at an index."""
    return index < len(run.tokens) and numeral_at(run.tokens, index) is not None
