"""The types of WSGI applications."""

from collections.abc import Callable, Iterable
from typing import Any

type Environ = dict[str, Any]
type StartResponse = Callable[..., Any]
type Wsgi = Callable[[Environ, StartResponse], Iterable[bytes]]
