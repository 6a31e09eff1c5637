"""Exceptions as structured data: type, message, notes, frames and parts of each in the chain."""

import sys
import traceback
from pathlib import Path
from typing import Any, Final

import structlog

_LOGGING: Final = frozenset(Path(file).parent for file in (__file__, structlog.__file__))
_MAX_PARTS: Final = 5
_MAX_DEPTH: Final = 3
EXCEPTION_LEVELS: Final = 4 * _MAX_DEPTH + 1
"""How deep the lists and objects of a description are nested."""

_MAX_NOTES: Final = 5
_MAX_CHAIN: Final = 5
_MAX_FRAMES: Final = 20
_MAX_MESSAGE_CHARACTERS: Final = 2000


def describe_exception(exc_info: object) -> list[dict[str, object]] | None:
    """Return an exception and its causes, the outermost first, or None if there is none.

    Args:
        exc_info: True for the exception being handled, an exception, or a `sys.exc_info()` tuple.
    """
    if exc_info is True:
        exc_info = sys.exc_info()
    if isinstance(exc_info, tuple):
        exc_info = exc_info[1]
    if not isinstance(exc_info, BaseException):
        return None
    return [_describe(error, 1) for error in _chain(exc_info)]


def describe_stack() -> list[str]:
    """Return the frames that lead to a log call, without those of structlog and of this package."""
    return [
        f"{frame.filename}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_stack()
        if Path(frame.filename).parent not in _LOGGING
    ][-_MAX_FRAMES:]


def _chain(error: BaseException | None) -> list[BaseException]:
    chain: list[BaseException] = []
    while error is not None and error not in chain and len(chain) < _MAX_CHAIN:
        chain.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return chain


def _describe(error: BaseException, depth: int) -> dict[str, object]:
    frames = []
    step = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        frames.append(f"{code.co_filename}:{step.tb_lineno} {code.co_name}")
        step = step.tb_next
    described: dict[str, Any] = {
        "type": type(error).__qualname__,
        "message": _message(error),
        "frames": frames[-_MAX_FRAMES:],
    }
    if notes := getattr(error, "__notes__", None):
        described["notes"] = [str(note)[:_MAX_MESSAGE_CHARACTERS] for note in notes[:_MAX_NOTES]]
    if isinstance(error, BaseExceptionGroup) and depth < _MAX_DEPTH:
        described["exceptions"] = [
            [_describe(one, depth + 1) for one in _chain(part)]
            for part in error.exceptions[:_MAX_PARTS]
        ]
    return described


def _message(error: BaseException) -> str:
    try:
        return str(error)[:_MAX_MESSAGE_CHARACTERS]
    except Exception as failure:  # noqa: BLE001 - a custom __str__ may raise anything
        return f"<no message, {type(failure).__name__}>"
