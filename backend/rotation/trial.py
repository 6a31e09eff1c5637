"""Tests a new key with real calls until the gateway accepts it."""

import http.client
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from rotation.secret import RotationError

_CALL_SECONDS = 5.0
_CONFIRMATIONS = 2
_SERVICE_FAILURES = 3


@dataclass(frozen=True)
class Trial:
    """Tests a key with calls to one URL.

    Args:
        url: A URL of the gateway that requires a key.
        seconds: The longest time of all calls together.
        pause_seconds: The pause between two calls.
    """

    url: str
    seconds: float
    pause_seconds: float = 1.0

    def run(self, key: str) -> int:
        """Call the URL until the gateway accepts the key; return the number of calls.

        A new key takes some seconds to reach all of the gateway's hosts, so several calls must
        succeed. Errors of the service behind the gateway count as well, after some calls: the
        gateway checks the key before it calls the service.

        Raises:
            RotationError: The gateway refused the key, or did not answer, until the time was up.
        """
        ends = time.monotonic() + self.seconds
        accepted = service_failures = calls = 0
        outcome = "there was no time for a call"
        while calls == 0 or time.monotonic() < ends:
            if calls:
                time.sleep(min(self.pause_seconds, max(0.0, ends - time.monotonic())))
            calls += 1
            status, outcome = self._call(key, max(1.0, ends - time.monotonic()))
            if status is not None and (200 <= status < 300 or status == 429):
                accepted += 1
            elif status is not None and status >= 500:
                service_failures += 1
            elif status not in {None, 403}:
                raise RotationError(
                    f"{self.url} {outcome}: API_GATEWAY_URL or SERVICE_PATHS is wrong."
                )
            else:
                accepted = 0
            if accepted >= _CONFIRMATIONS or service_failures >= _SERVICE_FAILURES:
                return calls
        raise RotationError(
            f"{self.url} {outcome} after {calls} calls with the new key; it stays pending."
        )

    def _call(self, key: str, seconds: float) -> tuple[int | None, str]:
        parts = urlsplit(self.url)
        # http.client follows no redirects: the key goes to this host only.
        connect = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        connection = connect(parts.netloc, timeout=min(_CALL_SECONDS, seconds))
        try:
            connection.request("GET", parts.path or "/", headers={"x-api-key": key})
            answer = connection.getresponse()
            body = answer.read(2048)
        except (OSError, http.client.HTTPException) as error:
            return None, f"did not answer ({type(error).__name__})"
        finally:
            connection.close()
        if answer.status == 403 and b"Missing Authentication Token" in body:
            # The gateway's message for an unknown path.
            return 404, "is no path of the gateway"
        return answer.status, f"answered {answer.status}"
