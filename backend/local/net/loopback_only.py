"""Which requests a loopback port refuses because a web page may have sent them.

Two attacks are refused: DNS rebinding, where a page's own host name resolves to 127.0.0.1 (the
request's Host is that name), and a call across origins (the request's Origin is the page's).
"""

import json
import re
from collections.abc import Callable, Sequence

_LOOPBACK = r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?"
_HOST = re.compile(_LOOPBACK, re.IGNORECASE)
_ORIGIN = re.compile(rf"https?://{_LOOPBACK}", re.IGNORECASE)

STATUS = 403


def reason_to_refuse(
    hosts: Sequence[str],
    origins: Sequence[str],
    *,
    allows_origin: Callable[[str], bool] = lambda _: False,
) -> str | None:
    """The reason to refuse a request with these Host and Origin headers; None if it may pass.

    Exactly one Host is required. Origin is optional, because only browsers send it; `allows_origin`
    accepts origins beyond those of this machine.
    """
    if len(hosts) != 1 or not _HOST.fullmatch(hosts[0]):
        return "Forbidden: the Host header must be 127.0.0.1, localhost or [::1]"
    if not all(is_own_origin(origin) or allows_origin(origin) for origin in origins):
        return "Forbidden: web pages of other origins may not call this server"
    return None


def is_own_origin(origin: str) -> bool:
    """Whether a page of this origin comes from this machine."""
    return _ORIGIN.fullmatch(origin) is not None


def refusal_body(reason: str) -> bytes:
    """The JSON body of the answer, whose status is `STATUS`."""
    return json.dumps({"message": reason}).encode()
