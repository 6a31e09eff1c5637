"""Whose documents a request lists or deletes, if not those of its own user."""

from typing import Annotated

from fastapi import Depends, Query, Request

from shared import access
from shared.errors import UserNotPermitted
from shared.request import user

WRITE_SCOPE = "write"


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
        access.require(request.scope, WRITE_SCOPE)
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
