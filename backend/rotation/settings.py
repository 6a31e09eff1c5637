"""The settings of the rotation function."""

import json
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from shared.settings import FullServiceSettings

_DEFAULT_PATH = "/api/health"


def _json_object(value: Any) -> Any:
    # With NoDecode: the errors of pydantic-settings' own decoding do not name the variable.
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise ValueError('must be a JSON object of strings, such as {"api": "abc123"}') from None


_ByName = Annotated[dict[str, str], NoDecode, BeforeValidator(_json_object)]


class Settings(FullServiceSettings):
    """The settings of the rotation function.

    The three maps are JSON objects by key name, the `name` in the secret's name
    `{project}/{environment}/{name}/api-key`: the id of its usage plan, the id of the key that
    Terraform created, and the path for testing a new key.
    """

    usage_plan_ids: Annotated[_ByName, Field(min_length=1)]
    """The id of each key's usage plan, by the key's name, as JSON."""

    terraform_api_key_ids: _ByName = Field(default_factory=dict)
    """The id of the key that Terraform made, by the key's name, as JSON."""

    service_paths: _ByName = Field(default_factory=dict)
    """The gateway's path on which a new key is tested, by the key's name, as JSON."""

    def path_of(self, name: str) -> str:
        """Return the gateway's path on which a new key of `name` is tested."""
        return self.service_paths.get(name, _DEFAULT_PATH)
