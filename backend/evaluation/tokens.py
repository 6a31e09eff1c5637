"""An estimate of tokens: no tokenizer is public for every model."""

from typing import Final

CHARACTERS_PER_TOKEN: Final = 4
"""About right for English text; other languages take more tokens."""


def estimated(text: str) -> int:
    """Return about how many tokens a text has."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)
