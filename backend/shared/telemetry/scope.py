"""Keys of an ASGI scope by which the Lambda entry and the middleware share a request's span."""

from typing import Final

SPAN_KEY: Final = "shared.span"
"""The request's span, if the caller of the application has started it."""

STATUS_KEY: Final = "shared.status"
"""The status of the answer that was returned to Lambda."""
