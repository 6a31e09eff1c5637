"""A Cognito authorizer: verifies ID tokens as API Gateway does, and passes their claims on."""

import json
import time
from collections.abc import Callable, Mapping, Set
from datetime import UTC, datetime
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from local.gateway.refusals import Refusal, RefusedError

_TIMES = frozenset(["exp", "iat"])


class CognitoAuthorizer:
    """Accepts the ID tokens of one user pool.

    Args:
        issuer: The pool's URL, as its tokens name it.
        clients: The ids of the pool's app clients, one of which is a token's audience.
        keys: The pool's published keys.
        now: Returns the Unix time in seconds.
    """

    def __init__(
        self,
        issuer: str,
        clients: Set[str],
        keys: KeySet,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._issuer = issuer
        self._clients = clients
        self._keys = keys
        self._now = now

    def claims(self, header: str | None) -> dict[str, str]:
        """The claims of the token in the Authorization header, as an event contains them.

        Raises RefusedError if there is no token, or one that the pool did not issue for its users.
        """
        token = (header or "").removeprefix("Bearer ").strip()
        if not token:
            raise RefusedError(Refusal.UNAUTHORIZED, "no token")
        try:
            # The only algorithm of Cognito: neither `none` nor a MAC made with the public key.
            claims = jwt.decode(token, self._keys, algorithms=["RS256"]).claims
        except (JoseError, ValueError, KeyError, TypeError, UnicodeError) as error:
            raise RefusedError(Refusal.UNAUTHORIZED, "the token cannot be verified") from error
        expires = claims.get("exp")
        is_ours = (
            claims.get("iss") == self._issuer
            and claims.get("token_use") == "id"
            and isinstance(claims.get("aud"), str)
            and claims["aud"] in self._clients
        )
        if not is_ours or not isinstance(expires, int):
            raise RefusedError(Refusal.UNAUTHORIZED, "the token is not one of this pool's users")
        if expires <= self._now():
            raise RefusedError(Refusal.TOKEN_EXPIRED)
        return event_claims(claims)


def event_claims(claims: Mapping[str, Any]) -> dict[str, str]:
    """The claims as API Gateway writes them into an event: every value is text."""
    return {name: _text(name, value) for name, value in claims.items()}


def _text(name: str, value: Any) -> str:
    if name in _TIMES and isinstance(value, int):
        return datetime.fromtimestamp(value, UTC).strftime("%a %b %d %H:%M:%S UTC %Y")
    if isinstance(value, list):
        return ",".join(str(one) for one in value)
    return value if isinstance(value, str) else json.dumps(value)
