"""What the rotation function is told by its environment."""

import json
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from shared.settings import FullServiceSettings

_DEFAULT_PATH = "/api/health"


def _json_object(value: Any) -> Any:
    # NoDecode and this: pydantic-settings' own decoding fails without naming the variable.
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise ValueError('must be a JSON object of strings, such as {"api": "abc123"}') from None


_ByName = Annotated[dict[str, str], NoDecode, BeforeValidator(_json_object)]


class Settings(FullServiceSettings):
    """Settings of every service, and which usage plan, key and path belong to each key name.

    The three maps are JSON objects in the environment. Their keys are key names: the `name` of the
    secrets `{project}/{environment}/{name}/api-key`.
    """

    usage_plan_ids: Annotated[_ByName, Field(min_length=1)]
    terraform_api_key_ids: _ByName = Field(default_factory=dict)
    service_paths: _ByName = Field(default_factory=dict)

    def path_of(self, name: str) -> str:
        """Return the path behind the gateway that a new key of `name` is tried on."""
        return self.service_paths.get(name, _DEFAULT_PATH)
