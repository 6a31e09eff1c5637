"""Exceptions as structured data: type, message and stack frames of each one in the chain."""

import sys
from typing import Final

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
    return [_describe(error) for error in _chain(exc_info)]


def _chain(error: BaseException | None) -> list[BaseException]:
    chain: list[BaseException] = []
    while error is not None and error not in chain and len(chain) < _MAX_CHAIN:
        chain.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return chain


def _describe(error: BaseException) -> dict[str, object]:
    frames = []
    traceback = error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        frames.append(f"{code.co_filename}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return {
        "type": type(error).__qualname__,
        "message": _message(error),
        "frames": frames[-_MAX_FRAMES:],
    }


def _message(error: BaseException) -> str:
    try:
        return str(error)[:_MAX_MESSAGE_CHARACTERS]
    except Exception as failure:  # noqa: BLE001 - a custom __str__ may raise anything
        return f"<no message, {type(failure).__name__}>"
