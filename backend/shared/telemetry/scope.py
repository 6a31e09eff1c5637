"""Keys of an ASGI scope that the Lambda entry and the tracing of requests share."""

from typing import Final

SPAN_KEY: Final = "shared.span"
"""The request's span."""

STATUS_KEY: Final = "shared.status"
"""The status of the answer that was sent."""
