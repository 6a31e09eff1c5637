"""A real call with a new key, repeated until the gateway knows the key."""

import http.client
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from rotation.secret import RotationError

_CALL_SECONDS = 5.0
_CONFIRMATIONS = 2
_FAILURES_OF_SERVICE = 3


@dataclass(frozen=True)
class Trial:
    """Tries a key on one URL.

    Args:
        url: An address behind the gateway that needs a key.
        seconds: The longest time that all attempts may take together.
        pause_seconds: The wait between two attempts.
    """

    url: str
    seconds: float
    pause_seconds: float = 1.0

    def run(self, key: str) -> int:
        """Return the number of calls it took until the gateway let the key through.

        A key spreads over the gateway's hosts for some seconds, hence the repetitions, and hence
        one good answer is not enough. A service that fails behind the gateway says nothing against
        the key: the gateway checks the key first.

        Raises:
            RotationError: The gateway refused the key, or did not answer, to the end.
        """
        ends = time.monotonic() + self.seconds
        good = failed_behind = calls = 0
        outcome = "there was no time for a call"
        while calls == 0 or time.monotonic() < ends:
            if calls:
                time.sleep(min(self.pause_seconds, max(0.0, ends - time.monotonic())))
            calls += 1
            status, outcome = self._call(key, max(1.0, ends - time.monotonic()))
            if status is not None and (200 <= status < 300 or status == 429):
                good += 1
            elif status is not None and status >= 500:
                failed_behind += 1
            elif status not in {None, 403}:
                raise RotationError(
                    f"{self.url} {outcome}: API_GATEWAY_URL or SERVICE_PATHS is wrong."
                )
            else:
                good = 0
            if good >= _CONFIRMATIONS or failed_behind >= _FAILURES_OF_SERVICE:
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
            # The gateway's words for a path that it does not have.
            return 404, "is no path of the gateway"
        return answer.status, f"answered {answer.status}"
