"""Calls of the API through its gateway, with retries, timeouts and errors that name the remedy."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final, Self

import httpx
import stamina
from pydantic import BaseModel, ValidationError

from client.credentials import Access
from client.outcome import CommandError, Exit
from client.replies import DocumentPage, Ingestion, Upload

# The gateway ends a request after 29 s.
_TIMEOUT: Final = httpx.Timeout(35.0, connect=5.0)
_UPLOAD_TIMEOUT: Final = httpx.Timeout(60.0, connect=5.0)
_ATTEMPTS: Final = 4
_LONGEST_RETRY_AFTER: Final = 30.0
_RETRIED: Final = frozenset([429, 500, 502, 503, 504])
_QUOTA: Final = "Limit Exceeded"


class Gateway:
    """A client of the API. Every method raises `CommandError`.

    Args:
        access: URL and key.
        transport: Replaces the network in tests.
    """

    def __init__(self, access: Access, *, transport: httpx.BaseTransport | None = None) -> None:
        self._access = access
        self._http = httpx.Client(timeout=_TIMEOUT, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def get[R: BaseModel](self, reply: type[R], path: str, **parameters: Any) -> R:
        """Read something; repeated while nothing answers."""
        return _parsed(reply, self._call("GET", path, params=parameters))

    def post[R: BaseModel](self, reply: type[R], path: str, body: dict[str, Any]) -> R:
        """Send something that is not repeated once it may have arrived."""
        return _parsed(reply, self._call("POST", path, json=body, repeats=False))

    def documents(self) -> Iterator[dict[str, Any]]:
        """Yield the id and the metadata of every stored document that the caller may read."""
        cursor: str | None = None
        while True:
            parameters = {"limit": 1000} | ({"cursor": cursor} if cursor else {})
            page = self.get(DocumentPage, "/api/documents", **parameters)
            yield from ({"id": one.id, **one.metadata} for one in page.documents)
            cursor = page.cursor
            if cursor is None:
                return

    def content_types(self) -> frozenset[str]:
        """Return the media types that an ingestion takes, as the API's document lists them."""
        schemas = self._call("GET", "/api/openapi.json").json().get("components", {})
        document = schemas.get("schemas", {}).get("IngestedDocument", {})
        field = document.get("properties", {}).get("content_type", {})
        field = schemas.get("schemas", {}).get(str(field.get("$ref", "")).rpartition("/")[2], field)
        if not field.get("enum"):
            raise CommandError(
                "This API takes no files: its release is older than this client.", Exit.NOT_DONE
            )
        return frozenset(field["enum"])

    def upload(self, body: dict[str, Any], content: bytes) -> str:
        """Put a file to a presigned URL, unless it is there already; return the upload's id."""
        # Repeating it is harmless: the same file is the same upload.
        where = _parsed(Upload, self._call("POST", "/api/uploads", json=body))
        if not where.is_stored:
            self._send(
                where.method,
                httpx.URL(where.url),
                # The key is not sent to S3.
                headers=where.headers,
                content=content,
                timeout=_UPLOAD_TIMEOUT,
            )
        return where.id

    def ingest(self, documents: list[dict[str, Any]], key: str) -> Ingestion:
        """Start an ingestion, or return the one that was started with the same key and body."""
        answer = self._call(
            "POST",
            "/api/ingestions",
            json={"documents": documents},
            headers={"idempotency-key": key},
        )
        return _parsed(Ingestion, answer)

    def ingestion(self, ingestion_id: str) -> Ingestion:
        """Return an ingestion."""
        return self.get(Ingestion, f"/api/ingestions/{ingestion_id}")

    def remove_ingestion(self, ingestion_id: str) -> None:
        """Remove an ended ingestion; the documents stay."""
        self._call("DELETE", f"/api/ingestions/{ingestion_id}")

    def run_slice(self, ingestion_id: str) -> Ingestion | None:
        """Work on an ingestion now and not at the next minute; None if the key may not."""
        try:
            answer = self._call("POST", f"/runner/jobs/{ingestion_id}/run", repeats=False)
        except CommandError as error:
            if error.exit_code in {Exit.NOT_PERMITTED, Exit.NOT_FOUND}:
                return None
            raise
        return _parsed(Ingestion, answer)

    def _call(
        self,
        method: str,
        path: str,
        *,
        headers: dict[str, str] | None = None,
        repeats: bool = True,
        **options: Any,
    ) -> httpx.Response:
        sent = {**self._access.headers(), **(headers or {})}
        url = httpx.URL(f"{self._access.url}{path}")
        return self._send(method, url, headers=sent, repeats=repeats, **options)

    def _send(
        self, method: str, url: httpx.URL, *, repeats: bool = True, **options: Any
    ) -> httpx.Response:
        with _transport_errors(url):
            for attempt in stamina.retry_context(
                on=lambda error: _pause(error, repeats=repeats), attempts=_ATTEMPTS, timeout=120.0
            ):
                with attempt:
                    answer = self._http.request(method, url, **options)
                    answer.raise_for_status()
        return answer


def _pause(error: Exception, *, repeats: bool) -> bool | float:
    """Return whether to try again, or the seconds after which to."""
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
        return True
    if isinstance(error, httpx.TransportError):
        return repeats
    if not isinstance(error, httpx.HTTPStatusError):
        return False
    answer = error.response
    is_throttle = answer.status_code == 429 and _QUOTA not in answer.text
    if not is_throttle and not (repeats and answer.status_code in _RETRIED - {429}):
        return False
    if answer.headers.get("x-should-retry") == "false" and "retry-after" not in answer.headers:
        return False
    after = answer.headers.get("retry-after", "")
    return min(float(after), _LONGEST_RETRY_AFTER) if after.isdigit() else True


@contextmanager
def _transport_errors(url: httpx.URL) -> Iterator[None]:
    try:
        yield
    except httpx.HTTPStatusError as error:
        raise _refusal(error.response) from None
    except httpx.TimeoutException:
        raise CommandError(
            f"{url.host} did not answer in time; try again.", Exit.UNAVAILABLE
        ) from None
    except httpx.HTTPError as error:
        raise CommandError(
            f"{url.host} cannot be reached ({error}); is API_GATEWAY_URL right, and does it run?",
            Exit.UNAVAILABLE,
        ) from None


def _refusal(answer: httpx.Response) -> CommandError:
    status = answer.status_code
    try:
        body = answer.json()
    except ValueError:
        body = {}
    body = body if isinstance(body, dict) else {}
    # `detail` is a service's, `message` the gateway's.
    said = str(body.get("detail") or body.get("message") or f"{answer.url.host} refused it")[:1000]
    exit_code, advice = Exit.NOT_DONE, ""
    if status in {401, 403}:
        exit_code = Exit.NOT_PERMITTED
        if "message" in body:
            advice = ": the gateway refused the API key, the token or the path"
    elif status == 404:
        exit_code = Exit.NOT_FOUND
    elif status in {400, 422}:
        exit_code = Exit.USAGE
    elif status in _RETRIED:
        exit_code = Exit.UNAVAILABLE
    return CommandError(
        f"{said}{advice} (HTTP {status})", exit_code, request_id=body.get("request_id")
    )


def _parsed[R: BaseModel](reply: type[R], answer: httpx.Response) -> R:
    try:
        return reply.model_validate_json(answer.content)
    except ValidationError:
        raise CommandError(
            f"{answer.url.path} answered what this client does not understand; does "
            "API_GATEWAY_URL point to a gateway of this release?",
            Exit.NOT_DONE,
        ) from None
