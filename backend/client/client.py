"""The client: the API's operations at one deployment."""

from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

import httpx

from client.api.operations import Operations
from client.transport import Transport

SERVICE_PATH: Final = "/api"


class Client(Operations):
    """Calls the API of one deployment. Close it, or use it in a `with` block. Thread-safe.

        with Client(url, key) as advisor:
            print(advisor.ask(models.AskRequest(question="What is an emergency fund?")).answer)

    Args:
        url: The gateway's URL with its stage: Terraform's output `api_gateway_url`, or the
            variable API_GATEWAY_URL of the estate on one machine.
        key: The API key; None where the gateway requires none.
        token: Returns the end user's ID token, where the deployment has users.
        timeout_seconds: The longest wait for an answer; the gateway gives up after 29 seconds.
        attempts: How many times a request is sent at most, if sending it again is safe.
        transport: The `httpx` transport; tests pass their own.

    Raises:
        ValueError: The URL is not absolute, or would send the key unencrypted to another machine.
    """

    def __init__(
        self,
        url: str,
        key: str | None,
        *,
        token: Callable[[], str] | None = None,
        timeout_seconds: float = 35.0,
        attempts: int = 4,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        super().__init__(
            Transport(
                url.rstrip("/") + SERVICE_PATH,
                key,
                token=token,
                timeout_seconds=timeout_seconds,
                attempts=attempts,
                transport=transport,
            )
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()
