"""Settings read once from the environment, frozen, with errors that name the variable to fix."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, AliasChoices, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]

_SECRET_NAME: Final = re.compile(r"key|secret|token|password|credential", re.IGNORECASE)
_SHOWN_CHARACTERS: Final = 80


class SettingsError(ValueError):
    """One or more variables are missing or wrong; the message names each of them."""


def _http_url(value: str) -> str:
    return _url(value, "http", "https")


def _collector_url(value: str) -> str:
    return _url(value, "http", "https", "udp")


def _url(value: str, *schemes: str) -> str:
    scheme, separator, rest = value.partition("://")
    if scheme not in schemes or not separator or not rest.strip("/"):
        raise ValueError(f"must be an absolute URL that begins with {' or '.join(schemes)}://")
    if any(character.isspace() for character in value) or "@" in rest.partition("/")[0]:
        raise ValueError("must be an absolute URL without spaces or credentials")
    return value.rstrip("/")


HttpUrl = Annotated[str, AfterValidator(_http_url)]
"""An absolute URL as plain text, without a trailing slash."""

CollectorUrl = Annotated[str, AfterValidator(_collector_url)]
"""Where spans go; `udp://` is the X-Ray daemon."""

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
"""A lower-case name that is valid in function names, secret names and bucket names alike."""


class BaseServiceSettings(BaseSettings):
    """What every service knows about itself.

    Raises:
        SettingsError: A variable is missing or wrong.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        env_ignore_empty=True,
        # Tests and callers pass values by field name although some fields have two variables.
        validate_by_name=True,
        validate_by_alias=True,
    )

    project_name: Name
    environment: Name
    service_name: Name
    log_level: LogLevel = "INFO"
    service_version: str = Field(default="dev", max_length=64)

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            # `from None`: pydantic's own message prints the input, which may be a secret.
            raise SettingsError(_explain(type(self), error)) from None

    @property
    def api_key_secret_name(self) -> str:
        """The name of the Secrets Manager secret that holds this service's own key."""
        return f"{self.project_name}/{self.environment}/{self.service_name}/api-key"


class BaseAWSSettings(BaseSettings):
    """Where the service runs; Lambda sets these variables itself."""

    aws_region: str = Field(
        default="us-east-1",
        pattern=r"^[a-z]{2}(-[a-z]+)+-\d$",
        validation_alias=AliasChoices("AWS_REGION", "AWS_DEFAULT_REGION"),
    )

    @property
    def aws_default_region(self) -> str:
        """The same region under the name that older SDKs read."""
        return self.aws_region


class BaseTracingSettings(BaseSettings):
    """Whether and where spans are exported."""

    enable_tracing: bool = False
    otlp_endpoint: CollectorUrl = "http://localhost:4318"


class FullServiceSettings(BaseServiceSettings, BaseAWSSettings, BaseTracingSettings):
    """Everything that a service behind the gateway needs."""

    api_gateway_url: HttpUrl


def load_settings[S: BaseServiceSettings](settings_class: type[S]) -> S:
    """Read the settings of a starting process.

    Raises:
        SystemExit: A variable is missing or wrong; the message is all that is printed.
    """
    try:
        return settings_class()
    except SettingsError as error:
        raise SystemExit(str(error)) from None


def _explain(settings_class: type[BaseSettings], error: ValidationError) -> str:
    lines = [f"{settings_class.__name__}: the environment is incomplete or wrong."]
    for item in error.errors(include_url=False, include_context=False):
        field = str(item["loc"][0]) if item["loc"] else "?"
        names = _variables(settings_class.model_fields, field)
        if item["type"] == "missing":
            lines.append(f"  {names}: not set; {_expectation(settings_class, field)}")
        else:
            lines.append(f"  {names}: got {_shown(names, item['input'])}; {item['msg']}")
    return "\n".join(lines)


def _variables(fields: Mapping[str, Any], field: str) -> str:
    info = fields.get(field)
    alias = getattr(info, "validation_alias", None)
    if isinstance(alias, AliasChoices):
        return " or ".join(str(choice) for choice in alias.choices)
    return field.upper()


def _expectation(settings_class: type[BaseSettings], field: str) -> str:
    info = settings_class.model_fields.get(field)
    if info is None:
        return "expects a value"
    for constraint in info.metadata:
        if pattern := getattr(constraint, "pattern", None):
            return f"expects text that matches {pattern}"
        if isinstance(constraint, AfterValidator):
            return "expects an absolute URL"
    return f"expects {getattr(info.annotation, '__name__', info.annotation)}"


def _shown(names: str, value: object) -> str:
    if _SECRET_NAME.search(names):
        return "a value that is not shown"
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"
