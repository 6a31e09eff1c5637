"""A policy for tests, as small as one can be."""

from typing import Any

MINIMAL: dict[str, Any] = {
    "version": "1",
    "words": {"gem": "ruby|opal"},
    "questions": [{"id": "gems", "category": "recommendation", "any": ["buy (?:a )?{gem}"]}],
    "answers": {"id": "advice", "any": ["you should"]},
    "texts": dict.fromkeys(
        (
            "distress",
            "fraud",
            "recommendation_first",
            "recommendation_last",
            "recommendation_refused",
            "guardrail_refused",
        ),
        "A text.",
    ),
    "help": {"NZ": {"fraud": [{"text": "Police: 105.", "source": "https://www.police.govt.nz"}]}},
}
