"""Finds out which end user a request acts for, and refuses users that a client made up."""

from typing import Final

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.access import KEY_NAME, OPEN_PATHS
from shared.errors import FAILURE_KEY, Forbidden, ServiceError
from shared.logging import get_logger
from shared.request import identity, user

_log = get_logger(__name__)

LOG_FIELD: Final = "user"
"""The field of log lines with the user's pseudonym, `User.id`."""


class ForgedIdentity(Forbidden):
    """The caller may not say on whose behalf it calls."""

    code = "forged_identity"


class UserMiddleware:
    """Makes the request's user the current one, for the service and for its log lines.

    The user is in the headers of a key that `forwarders` lists, or in the claims of API Gateway's
    event. Headers of all other callers are answered with 403.

    Args:
        app: The next ASGI application.
        forwarders: The names of the keys that may forward a user.
        claims: For a service that end users call: where the user is in the event. The headers of
            every caller are refused.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        forwarders: frozenset[str],
        claims: user.Claims | None = None,
    ) -> None:
        self._app = app
        self._forwarders = forwarders
        self._claims = claims

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Health has no user, and probes have none to send.
        if scope["type"] != "http" or identity.route_path(scope) in OPEN_PATHS:
            await self._app(scope, receive, send)
            return
        try:
            found = self._user(scope)
        except ServiceError as error:
            scope[FAILURE_KEY] = error
            await error.to_response()(scope, receive, send)
            return
        if found is not None:
            structlog.contextvars.bind_contextvars(**{LOG_FIELD: found.id})
        with user.acting_for(found):
            await self._app(scope, receive, send)

    def _user(self, scope: Scope) -> user.User | None:
        is_sent = user.is_sent(scope)
        if is_sent and (self._claims is not None or scope.get(KEY_NAME) not in self._forwarders):
            _log.warning("identity_refused", key_name=scope.get(KEY_NAME))
            raise ForgedIdentity(
                f"This caller must not send {', '.join(user.HEADERS)}: a user is known by the "
                "token that the gateway has checked."
            )
        if self._claims is not None:
            return self._claims.user(scope)
        return user.of_headers(scope) if is_sent else None
