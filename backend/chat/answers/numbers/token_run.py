"""The tokens of a text from which numbers are read, without its dates and identifiers."""

from dataclasses import dataclass
from typing import Final

from chat.answers.numerals import Token, numeral_at

HYPHENS: Final = frozenset({"-", "\u2010", "\u2011", "\u2013"})
MINUS: Final = frozenset({"-", "\u2212", "\u2013"})


@dataclass(frozen=True, slots=True)
class TokenRun:
    """Tokens of a text; an index beyond either end is allowed.

    Attributes:
        in_table: Whether parentheses around any number make it negative.
    """

    text: str
    tokens: list[Token]
    in_table: bool = False

    def word(self, index: int) -> str:
        """Return a token in lower case, or an empty string beyond the ends."""
        return self.tokens[index].lowered if 0 <= index < len(self.tokens) else ""

    def adjacent(self, index: int) -> bool:
        """Whether a token touches the one before it."""
        return 0 < index < len(self.tokens) and (
            self.tokens[index - 1].end == self.tokens[index].start
        )


def is_number_at(run: TokenRun, index: int) -> bool:
    """Whether a number begins at an index."""
    return index < len(run.tokens) and numeral_at(run.tokens, index) is not None
