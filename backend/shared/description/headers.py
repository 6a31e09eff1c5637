"""Headers of requests and answers that mean the same in every service."""

from typing import Annotated, Any, Final

from fastapi import Header

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="A repetition with the same key and body returns what the first one created; "
        "with another body, it is a conflict.",
    ),
]
"""What a client sends to be able to repeat a request that creates something."""

ACCEPTED: Final[dict[int | str, dict[str, Any]]] = {
    202: {
        "headers": {
            "Location": {
                "description": "Where the progress is read, relative to this request's URL.",
                "schema": {"type": "string"},
            }
        }
    }
}
"""The answer of a route that accepts work and sets `Location`, for its `responses=`."""
