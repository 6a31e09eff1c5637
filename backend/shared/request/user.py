"""The end user that a request acts for, and the headers that carry the user between services.

An authorizer of API Gateway checks the user's token and adds its claims to the event of `api`.
`api` forwards the user to other services in headers, and they forward it in turn.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeGuard
from urllib.parse import quote, unquote

from shared.errors import Forbidden, InvalidRequest, Unauthenticated
from shared.request import identity

if TYPE_CHECKING:
    from starlette.types import Scope

USER_HEADER: Final = "x-user"
TENANT_HEADER: Final = "x-tenant"
ROLES_HEADER: Final = "x-roles"
HEADERS: Final = (USER_HEADER, TENANT_HEADER, ROLES_HEADER)

CURATORS: Final = "curators"
"""The group whose members write the documents that everybody of their tenant reads."""

_MAX_CHARACTERS: Final = 256
_HASH_CHARACTERS: Final = 32


@dataclass(frozen=True, slots=True)
class User:
    """An end user: the subject of a token, and the tenant; None where there is one tenant only."""

    subject: str
    tenant: str | None = None
    is_curator: bool = False

    @property
    def id(self) -> str:
        """The user's pseudonym: the first 128 bits of a SHA-256 of tenant and subject.

        Logs and records name the user by it. It has no key: whoever guesses a subject can confirm
        it, so subjects should be random, as those of Cognito are.
        """
        return _hash("user", self.tenant, self.subject)

    @property
    def own(self) -> str:
        """The owner of the user's own documents."""
        return f"u-{self.id}"

    @property
    def common(self) -> str | None:
        """The owner of the documents that everybody of the tenant reads."""
        return None if self.tenant is None else f"t-{_hash('tenant', self.tenant)}"

    def headers(self) -> dict[str, str]:
        """Return the headers that forward the user to another service."""
        headers = {USER_HEADER: quote(self.subject, safe="")}
        if self.tenant is not None:
            headers[TENANT_HEADER] = quote(self.tenant, safe="")
        if self.is_curator:
            headers[ROLES_HEADER] = CURATORS
        return headers


_current: ContextVar[User | None] = ContextVar("user", default=None)


def current() -> User | None:
    """Return the user of the current request, or None."""
    return _current.get()


@contextmanager
def acting_for(user: User | None) -> Iterator[None]:
    """Make a user the current one; calls to other services forward the user."""
    token = _current.set(user)
    try:
        yield
    finally:
        _current.reset(token)


def written_owner(user: User | None) -> str | None:
    """Return the owner of documents that a user, or a request without one, writes."""
    if user is None:
        return None
    return user.common if user.is_curator else user.own


@dataclass(frozen=True, slots=True)
class Claims:
    """Where a user is in an event of API Gateway.

    Attributes:
        tenant_claim: The claim with the tenant; None if there is one tenant only.
        required: Whether a request without a user is refused.
    """

    tenant_claim: str | None = None
    required: bool = False

    def user(self, scope: "Scope") -> User | None:
        """Return the user in the claims of a checked token, or None without an authorizer.

        A Cognito authorizer passes on the claims. A Lambda authorizer passes on `principalId`
        and its own context, in which `groups` lists the groups.

        Raises:
            Unauthenticated: There is no user, although one is required.
            Forbidden: The token names no tenant, although `tenant_claim` is set.
        """
        authorizer = identity.gateway_context(scope).get("authorizer")
        if not isinstance(authorizer, Mapping):
            authorizer = {}
        claims = authorizer.get("claims")
        names = ("sub", "cognito:groups")
        if not isinstance(claims, Mapping):
            claims, names = authorizer, ("principalId", "groups")
        subject, groups = (claims.get(name) for name in names)
        if not _is_name(subject):
            if self.required or authorizer:
                raise Unauthenticated("Sign in: this request has no user's token.")
            return None
        tenant = claims.get(self.tenant_claim) if self.tenant_claim else None
        if self.tenant_claim and not _is_name(tenant):
            raise Forbidden(
                f"The token has no claim {self.tenant_claim}, which names the user's tenant."
            )
        # API Gateway passes a list of groups on as text.
        listed = groups.split(",") if isinstance(groups, str) else groups or ()
        return User(subject, tenant, CURATORS in listed)


def is_sent(scope: "Scope") -> bool:
    """Return whether a request has one of the headers."""
    return any(identity.header(scope, name.encode()) is not None for name in HEADERS)


def of_headers(scope: "Scope") -> User:
    """Return the user in the headers of another service.

    Raises:
        InvalidRequest: The headers are wrong.
    """
    subject, tenant, roles = (identity.header(scope, name.encode()) for name in HEADERS)
    subject, tenant = (None if one is None else unquote(one) for one in (subject, tenant))
    if not _is_name(subject) or not (tenant is None or _is_name(tenant)):
        raise InvalidRequest(
            f"{USER_HEADER} and {TENANT_HEADER} must have 1 to {_MAX_CHARACTERS} printable "
            "characters, percent-encoded."
        )
    if roles not in {None, "", CURATORS}:
        raise InvalidRequest(f"{ROLES_HEADER} must be {CURATORS} or absent.")
    return User(subject, tenant, roles == CURATORS)


def _is_name(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and 0 < len(value) <= _MAX_CHARACTERS and value.isprintable()


def _hash(*parts: str | None) -> str:
    # As JSON, so that no two lists of parts make the same text.
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:_HASH_CHARACTERS]
