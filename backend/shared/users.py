"""Finds out which end user a request acts for, and refuses users that a client made up.

An operator may also name the owner whose documents a request lists or deletes.
"""

from typing import Annotated, Final

import structlog
from fastapi import Depends, Query, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from shared import access
from shared.access import KEY_NAME, OPEN_PATHS
from shared.errors import FAILURE_KEY, Forbidden, ServiceError, UserNotPermitted
from shared.logging import get_logger
from shared.request import identity, user

_log = get_logger(__name__)

LOG_FIELD: Final = "user"
"""The field of log lines with the user's pseudonym, `User.id`."""


_WRITE_SCOPE: Final = "write"


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


def _named_owner(
    request: Request,
    owner: Annotated[
        str | None,
        Query(
            pattern=r"^[ut]-[0-9a-f]{32}$",
            description="For operators: the owner whose documents are meant, `u-` and the "
            "pseudonym of a user, as log lines have it, or `t-` and that of a tenant.",
        ),
    ] = None,
) -> str | None:
    """Return the owner that an operator names, or None.

    Without a user, the key must have the scope `write`. A curator may name any owner if there is
    one tenant only: a pseudonym does not tell its tenant.

    Raises:
        UserNotPermitted: The user may not name this owner.
        MissingScope: The key may not.
    """
    caller = user.current()
    if owner is None:
        return None
    if caller is None:
        access.require(request.scope, _WRITE_SCOPE)
    elif owner != caller.own and not caller.is_curator:
        raise UserNotPermitted("Only operators may name another owner.")
    elif owner != caller.own and caller.tenant is not None:
        raise UserNotPermitted(
            "Where there are tenants, only a key without a user may name an owner: call "
            "/s3vector/documents with the key `ingest`."
        )
    return owner


NamedOwner = Annotated[str | None, Depends(_named_owner)]
"""The owner that an operator names in the query; None for the request's own documents."""
