"""Structured logs: one JSON object a line on standard output."""

from shared.logging.configuration import configure_logging, get_logger, write
from shared.logging.encoding import timestamp

__all__ = ["configure_logging", "get_logger", "timestamp", "write"]
