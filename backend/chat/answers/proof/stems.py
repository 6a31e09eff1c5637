"""The words of headings and titles, cached because every claim is compared with them."""

from functools import lru_cache

from chat.answers.reading import read
from chat.answers.words import content_words


@lru_cache(maxsize=256)
def text_stems(text: str) -> frozenset[str]:
    """Return the stems of a text's content words."""
    return read(text).stems


@lru_cache(maxsize=256)
def title_names(title: str) -> frozenset[str]:
    """Return the capitalised words of a title, including the first word."""
    return frozenset(
        word.stem for word in content_words(title) if word.is_name or title[word.start].isupper()
    )
