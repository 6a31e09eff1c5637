"""Which operations of a service each API key may use; `services.json` declares it."""

from pydantic import BaseModel, ConfigDict


class KeyScopes(BaseModel):
    """The scopes of one service, and the keys that have them. Empty, it allows nothing.

    `operations` gives the operations of each scope, such as `PUT /documents`. `keys` gives the
    scopes of each key by its name: a service's or a client's. `forwards_identity` names the keys
    whose callers may say which user a request acts for.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    operations: dict[str, tuple[str, ...]] = {}
    keys: dict[str, tuple[str, ...]] = {}
    forwards_identity: tuple[str, ...] = ()
