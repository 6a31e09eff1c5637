"""Settings from environment variables: immutable, with errors that name the wrong variable."""

import re
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableVariable

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]

_SECRET_NAME: Final = re.compile(r"key|secret|token|password|credential", re.IGNORECASE)
_CREDENTIALS: Final = re.compile(r"//[^/\s]*@")
_SHOWN_CHARACTERS: Final = 80


class SettingsError(ValueError):
    """One or more variables are missing or wrong; the message names each of them."""


class KeyScopes(BaseModel):
    """The scopes of one service, and the keys that have them, as services.json declares them.

    Empty, it allows nothing. `operations` gives the operations of each scope, such as
    `PUT /documents`. `keys` gives the scopes of each key by its name: a service's or a client's.
    `forwards_identity` names the keys whose callers may say which user a request acts for.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    operations: dict[str, tuple[str, ...]] = {}
    keys: dict[str, tuple[str, ...]] = {}
    forwards_identity: tuple[str, ...] = ()


def _http_url(value: str) -> str:
    return _url(value, "http", "https")


def _collector_url(value: str) -> str:
    return _url(value, "http", "https", "udp")


def _url(value: str, *schemes: str) -> str:
    parts = urlsplit(value)
    expected = " or ".join(f"{scheme}://" for scheme in schemes)
    if parts.scheme not in schemes or not parts.hostname or value != value.strip():
        raise ValueError(f"must be an absolute URL that begins with {expected}")
    if any(character.isspace() for character in value) or "@" in parts.netloc:
        raise ValueError("must be a URL without spaces or credentials")
    if parts.query or parts.fragment:
        raise ValueError("must be a URL without a query or a fragment")
    _ = parts.port  # raises ValueError unless it is a valid port
    return value.rstrip("/")


HttpUrl = Annotated[str, AfterValidator(_http_url)]
"""An absolute URL as plain text, without a trailing slash."""

CollectorUrl = Annotated[str, AfterValidator(_collector_url)]
"""The endpoint that receives spans; `udp://` is the X-Ray daemon."""

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
"""A lower-case name that is valid in names of functions, secrets and buckets."""


class _Settings(BaseSettings):
    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        env_ignore_empty=True,
        # In code, also accept `aws_region=…`, although its variables have other names (aliases).
        validate_by_name=True,
        validate_by_alias=True,
    )

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            # `from None`: pydantic's message prints the input, which may be a secret.
            raise SettingsError(_explain(type(self), error)) from None
        except UnreadableVariable as error:  # a list or object that is not valid JSON
            raise SettingsError(f"{type(self).__name__}: {error}") from None


class BaseServiceSettings(_Settings):
    """The name, environment and log level of a service.

    Raises:
        SettingsError: A variable is missing or wrong.
    """

    project_name: Name
    """The project; the first part of every resource's name."""

    environment: Name
    """The environment, such as `dev`; the second part of every resource's name."""

    service_name: Name
    """The service, as services.json calls it."""

    log_level: LogLevel = "INFO"
    """Lines below this level are not written."""

    service_version: str = Field(default="dev", max_length=64)
    """The release, in every trace and in the answer of `/status`."""

    stream_timeout_seconds: float = Field(default=120, gt=0, le=900)
    """How long a streamed answer may take: from the gateway's receipt of the request to its end."""

    @property
    def api_key_secret_name(self) -> str:
        """The name of the Secrets Manager secret with this service's own API key."""
        return f"{self.project_name}/{self.environment}/{self.service_name}/api-key"


class BaseAWSSettings(_Settings):
    """The AWS region; Lambda sets these variables itself."""

    aws_region: str = Field(
        default="us-east-1",
        pattern=r"^[a-z]{2}(-[a-z]+)+-\d$",
        validation_alias=AliasChoices("AWS_REGION", "AWS_DEFAULT_REGION"),
    )
    """The region of the AWS services that are called; on Lambda, the function's."""

    @property
    def aws_default_region(self) -> str:
        """The same region under the name that older SDKs read."""
        return self.aws_region


class BaseTracingSettings(_Settings):
    """Whether spans are exported, and to which endpoint."""

    enable_tracing: bool = False
    """Whether spans are exported."""

    otlp_endpoint: CollectorUrl = "http://localhost:4318"
    """Where spans are sent; `udp://` is the X-Ray daemon."""


class FullServiceSettings(BaseServiceSettings, BaseAWSSettings, BaseTracingSettings):
    """All settings of a service behind the gateway."""

    api_gateway_url: HttpUrl
    """The gateway's URL with its stage; other services are called there."""

    enable_service_api_keys: bool = True
    """Whether the gateway requires API keys. If not, none is read, sent or checked."""

    key_scopes: KeyScopes = KeyScopes()
    """What each API key may do in this service, as JSON; the default allows nothing but health."""

    @property
    def api_key_ids_parameter(self) -> str:
        """The name of the SSM parameter with the ids of each API key by the key's name."""
        return f"/{self.project_name}/{self.environment}/api-key-ids"


def load_settings[S: BaseServiceSettings](settings_class: type[S]) -> S:
    """Return the settings when a process starts.

    Raises:
        SystemExit: A variable is missing or wrong; only the message is printed.
    """
    try:
        return settings_class()
    except SettingsError as error:
        raise SystemExit(str(error)) from None


def _explain(settings_class: type[BaseSettings], error: ValidationError) -> str:
    lines = [f"{settings_class.__name__}: the environment is incomplete or wrong."]
    for item in error.errors(include_url=False, include_context=False):
        if not item["loc"]:  # from a model validator: its input would show every value
            lines.append(f"  {_without_prefix(item['msg'])}")
            continue
        name, info = _field(settings_class, str(item["loc"][0]))
        names = _variables(name, info)
        if item["type"] == "missing":
            lines.append(f"  {names}: not set; {_expectation(info)}")
        else:
            lines.append(
                f"  {names}: got {_displayed(names, item['input'])}; {_without_prefix(item['msg'])}"
            )
    return "\n".join(lines)


def _field(settings_class: type[BaseSettings], location: str) -> tuple[str, FieldInfo | None]:
    # pydantic reports a field with several variables under the first of them.
    for name, info in settings_class.model_fields.items():
        if location == name or location in _variables(name, info).split(" or "):
            return name, info
    return location, None


def _variables(name: str, info: FieldInfo | None) -> str:
    alias = info.validation_alias if info else None
    if isinstance(alias, AliasChoices):
        return " or ".join(str(choice) for choice in alias.choices)
    return (alias if isinstance(alias, str) else name).upper()


def _expectation(info: FieldInfo | None) -> str:
    if info is None:
        return "expects a value"
    for constraint in info.metadata:
        if pattern := getattr(constraint, "pattern", None):
            return f"expects text that matches {pattern}"
        if isinstance(constraint, AfterValidator):
            return "expects an absolute URL"
    return f"expects {getattr(info.annotation, '__name__', info.annotation)}"


def _without_prefix(message: str) -> str:
    return message.removeprefix("Value error, ")


def _displayed(names: str, value: object) -> str:
    if _SECRET_NAME.search(names):
        return "a value that is not shown"
    text = _CREDENTIALS.sub("//***@", repr(value))
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"
