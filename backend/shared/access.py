"""Refuses requests whose API key lacks the scope of the operation, before the body is read.

The gateway checks that a key exists, and passes on its id. Its name follows from the id, and its
scopes from the name.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, Protocol

from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.errors import FAILURE_KEY, Forbidden, ServiceError, http_error
from shared.logging import get_logger
from shared.request import identity
from shared.settings import KeyScopes

KEY_ID_HEADER: Final = "x-api-key-id"
"""The header with the key's id, for a service that the gateway calls by HTTP."""

KEY_NAME: Final = "shared.key_name"
"""ASGI scope key: the name of the request's key, once its scope has been checked."""

_KEY_SCOPES: Final = "shared.key_scopes"

OPEN_PATHS: Final = frozenset(
    ["/health", "/liveness", "/readiness", "/openapi.json", "/docs", "/docs/oauth2-redirect"]
)
"""What every key may read: they say nothing about users, and probes must not depend on SSM."""

type KeyIdOf = Callable[[Scope], str | None]

_log = get_logger(__name__)


class KeyNames(Protocol):
    """Knows the names of API keys."""

    async def name_of(self, key_id: str) -> str | None:
        """Return the name of the key with an id, or None.

        Raises:
            ServiceError: The names cannot be read.
        """


class MissingScope(Forbidden):
    """The API key may not use this operation."""

    code = "missing_scope"


def event_key_id(scope: Scope) -> str | None:
    """Return the id of the request's key in API Gateway's event, which a client cannot set."""
    key_id = (identity.gateway_context(scope).get("identity") or {}).get("apiKeyId")
    return key_id if isinstance(key_id, str) and key_id else None


def header_key_id(scope: Scope) -> str | None:
    """Return the id in the gateway's header. Use it only behind a check of the request's origin."""
    return identity.header(scope, KEY_ID_HEADER.encode()) or None


class AccessMiddleware:
    """Answers 403 to a key without the scope, 503 if the names of keys cannot be read.

    An operation that no scope has is answered with 404 or 405, so that a route which was not
    declared is closed.

    Args:
        app: The next ASGI application.
        service: The name of the service, which is part of a scope's name.
        scopes: The scopes of this service.
        names: The names of keys.
        key_id: Returns the id of a request's key.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        service: str,
        scopes: KeyScopes,
        names: KeyNames,
        key_id: KeyIdOf = event_key_id,
    ) -> None:
        self._app = app
        self._service = service
        self._paths = _paths(scopes.operations)
        self._keys = {name: frozenset(each) for name, each in scopes.keys.items()}
        self._names = names
        self._key_id = key_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method, path = _method(scope), identity.route_path(scope)
        if path in OPEN_PATHS:
            scopes: Mapping[str, str | None] = {"GET": None}
        else:
            scopes = next((one.scopes for one in self._paths if one.matches(path)), {})
        if method not in scopes:
            # HTTP asks for the allowed methods in a 405.
            allowed = {"allow": ", ".join(sorted(scopes))} if scopes else {}
            await http_error(405 if scopes else 404, headers=allowed)(scope, receive, send)
            return
        wanted = scopes[method]
        if wanted is None:
            await self._app(scope, receive, send)
            return
        try:
            await self._require(wanted, scope)
        except ServiceError as error:
            scope[FAILURE_KEY] = error
            await error.to_response()(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _require(self, wanted: str, scope: Scope) -> None:
        key_id = self._key_id(scope)
        name = await self._names.name_of(key_id) if key_id else None
        if name is None or wanted not in self._keys.get(name, ()):
            raise _missing(name, f"{self._service}:{wanted}")
        scope[KEY_NAME] = name
        scope[_KEY_SCOPES] = self._keys[name]


def has(scope: Scope, wanted: str) -> bool:
    """Return whether the request's key has a scope; True where keys are not checked."""
    scopes = scope.get(_KEY_SCOPES)
    return scopes is None or wanted in scopes


def require(scope: Scope, wanted: str) -> None:
    """Return if the request's key has a scope besides the one of its operation.

    Raises:
        MissingScope: It has not.
    """
    if not has(scope, wanted):
        raise _missing(scope.get(KEY_NAME), wanted)


def _missing(key_name: str | None, wanted: str) -> MissingScope:
    _log.warning("scope_missing", key_name=key_name, scope=wanted)
    return MissingScope(f"This API key lacks the scope {wanted}; use a key that has it.")


class _Path(NamedTuple):
    """A path of the service: its pattern, and the scope of each method."""

    pattern: Any
    scopes: dict[str, str]

    def matches(self, path: str) -> bool:
        # fullmatch: `$` in Starlette's pattern would also match before a line break at the end.
        return self.pattern.fullmatch(path) is not None


def _paths(operations: Mapping[str, tuple[str, ...]]) -> list[_Path]:
    found: dict[str, _Path] = {}
    for name, allowed in operations.items():
        for operation in allowed:
            method, _, template = operation.partition(" ")
            path = found.setdefault(template, _Path(compile_path(template)[0], {}))
            path.scopes[method] = name
    # A path without parameters is not one of the paths that a parameter would match.
    return [found[template] for template in sorted(found, key=lambda one: "{" in one)]


def _method(scope: Scope) -> str:
    return "GET" if scope["method"] == "HEAD" else str(scope["method"])
