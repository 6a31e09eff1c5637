"""Where the gateway is and which API key to send: environment variables or Secrets Manager."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from client import Client
from client.cli.outcome import CommandError, Exit
from client.transport import Transport

_TIMEOUT_SECONDS = 10
_URL_ADVICE = (
    "API_GATEWAY_URL must be the URL of the gateway with its stage, such as "
    "https://abc.execute-api.us-east-1.amazonaws.com/dev. For the local estate, "
    "source its env file."
)


@dataclass(frozen=True)
class Access:
    """What every request needs; `token` is an end user's, where the API has users."""

    url: str
    key: str
    token: Callable[[], str] | None = None

    def client(self) -> Client:
        """Return a client of the API.

        Raises:
            CommandError: The URL is wrong.
        """
        try:
            return Client(self.url, self.key, token=self.token)
        except ValueError as error:
            raise CommandError(f"{_URL_ADVICE} ({error})", Exit.USAGE) from None

    def service(self, name: str) -> Transport:
        """Return a transport to a service that the gateway has beside the API."""
        return Transport(f"{self.url}/{name}", self.key, token=self.token)


def read_access(environment: Mapping[str, str], *, writes: bool, secret: str | None) -> Access:
    """Return the access for a command.

    Args:
        environment: `API_GATEWAY_URL`, `API_KEY`, `INGEST_API_KEY` and `ID_TOKEN`.
        writes: Whether the command prefers the key that may store documents.
        secret: The name of a secret with the key; the environment's keys are not used then.

    Raises:
        CommandError: Something is missing, or the secret cannot be read.
    """
    url = environment.get("API_GATEWAY_URL", "").rstrip("/")
    if not url:
        raise CommandError(_URL_ADVICE, Exit.USAGE)
    names = ("INGEST_API_KEY", "API_KEY") if writes else ("API_KEY", "INGEST_API_KEY")
    key = _secret(secret) if secret else next(filter(None, map(environment.get, names)), None)
    if not key:
        raise CommandError(
            f"Set {names[0]}, or give --secret with the name of a secret that has the key.",
            Exit.NOT_PERMITTED,
        )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise CommandError("The API key has characters that no key has.", Exit.NOT_PERMITTED)
    token = environment.get("ID_TOKEN")
    return Access(url, key, (lambda: token) if token else None)


def _secret(name: str) -> str:
    # Imported here: it takes a quarter of a second, and most commands have the key.
    from boto3.session import Session
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    config = Config(connect_timeout=_TIMEOUT_SECONDS, read_timeout=_TIMEOUT_SECONDS)
    try:
        client: Any = Session().client("secretsmanager", config=config)
        text = client.get_secret_value(SecretId=name).get("SecretString", "")
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        exit_code = Exit.NOT_FOUND if code == "ResourceNotFoundException" else Exit.NOT_PERMITTED
        raise CommandError(f"Could not read the secret {name}: {code}.", exit_code) from None
    except BotoCoreError as error:
        raise CommandError(f"Could not read the secret {name}: {error}", Exit.UNAVAILABLE) from None
    return _key_of(text)


def _key_of(text: str) -> str:
    """Return the key in a secret: its text, or the field `api_key` of a JSON object."""
    try:
        value = json.loads(text)
    except ValueError:
        return str(text)
    return str(value.get("api_key", "")) if isinstance(value, dict) else str(text)
