"""Examples of request bodies. A test sends each of them to the running services."""

from typing import Any, Final

from pydantic import ConfigDict

DOCUMENT_EXAMPLE: Final = {
    "id": "emergency-fund",
    "title": "Emergency funds",
    "text": "Keep three to six months of expenses at hand.",
    "metadata": {"topic": "savings", "year": 2026, "tags": ["basics"]},
}


def with_examples(*examples: dict[str, Any]) -> ConfigDict:
    """Return the configuration of a body with whole examples; it extends the base class's own."""
    return ConfigDict(json_schema_extra={"examples": list(examples)})
