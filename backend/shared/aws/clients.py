"""botocore clients with timeouts, made at first use, and the translation of their errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from shared.errors import BadDependency, DeadlineExceeded, ServiceError, Unavailable
from shared.request import deadline
from shared.request.circuit_breaker import CircuitBreaker

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from botocore.session import Session

CONNECT_TIMEOUT_SECONDS: Final = 2.0
READ_TIMEOUT_SECONDS: Final = 5.0
MAX_ATTEMPTS: Final = 3

MODEL_ATTEMPTS: Final = 2
"""Attempts of a call to a model. A question is embedded and then answered by a model: with two
attempts each, it makes at most four calls."""

_THROTTLES: Final = frozenset(
    [
        "ThrottlingException",
        "Throttling",
        "ThrottledException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "ProvisionedThroughputExceededException",
        "SlowDown",
        "ServiceQuotaExceededException",
        "ModelNotReadyException",
        "RequestThrottled",
        "BandwidthLimitExceeded",
    ]
)
_OUTAGES: Final = frozenset(
    [
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "InternalServerException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "InternalServiceError",
        "ModelTimeoutException",
        "RequestTimeout",
        "500",
        "502",
        "503",
        "504",
    ]
)
_REFUSALS: Final = frozenset(
    [
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "ExpiredToken",
        "ExpiredTokenException",
        "UnrecognizedClientException",
    ]
)

_lock = Lock()


def aws_client(
    service_name: str,
    *,
    region: str | None = None,
    read_timeout_seconds: float = READ_TIMEOUT_SECONDS,
    max_attempts: int = MAX_ATTEMPTS,
) -> Any:
    """Return this process's client for an AWS service. The first call imports botocore.

    boto3 would return the same client but also import its resources and s3transfer.

    Calls fail with `Unavailable` while the client's circuit breaker is open, and attempts after the
    request's deadline with `DeadlineExceeded`; `aws_errors` passes both on.

    botocore reads `AWS_ENDPOINT_URL` and its per-service forms to override the endpoint.

    Args:
        service_name: The botocore name, such as `s3` or `bedrock-runtime`.
        region: The region; by default that of the environment.
        read_timeout_seconds: The longest wait for data.
        max_attempts: Attempts in all, with botocore's adaptive retry mode.
    """
    # Clients are thread-safe; a session, which creates them, is not.
    with _lock:
        return _client(service_name, region, read_timeout_seconds, max_attempts)


@cache
def _client(service_name: str, region: str | None, read_timeout: float, attempts: int) -> Any:
    from botocore.config import Config

    config = Config(
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=read_timeout,
        retries={"mode": "adaptive", "total_max_attempts": attempts},
        max_pool_connections=32,
        # `Bucket` asks for S3's checksum where nothing else proves what was read.
        response_checksum_validation="when_required",
        # For presigned URLs, botocore still takes version 2 in old regions, which signs no size.
        signature_version="s3v4" if service_name == "s3" else None,
    )
    client = _session().create_client(service_name, region_name=region, config=config)
    _guard_attempts(client, service_name)
    return client


def _guard_attempts(client: Any, service_name: str) -> None:
    """Refuse attempts while the service fails or nobody waits, and answers that are cut off."""
    breaker = CircuitBreaker()

    def before_attempt(**_: Any) -> None:
        # A thread of botocore's survives the request that started it.
        if deadline.remaining_seconds() == 0:
            raise DeadlineExceeded(f"{service_name}: the request's time is used up.")
        if wait := breaker.wait_seconds():
            raise Unavailable(
                f"{service_name} is not called, because the last calls failed; try again.",
                retry_after=wait,
            )

    def after_attempt(
        exception: Exception | None, parsed_response: dict[str, Any] | None, **_: Any
    ) -> None:
        if isinstance(exception, ServiceError):
            return  # from `before_attempt`
        status = (parsed_response or {}).get("ResponseMetadata", {}).get("HTTPStatusCode", 200)
        breaker.record(failed=exception is not None or status >= 500)

    def after_call(http_response: Any, model: Any, **_: Any) -> None:
        # An empty answer of DynamoDB would mean that there is no such item.
        if model.has_streaming_output or model.http.get("method") == "HEAD":
            return
        announced = http_response.headers.get("content-length", "")
        if announced.isdigit() and len(http_response.content) < int(announced):
            raise Unavailable(f"{service_name}: the answer broke off; try again.", retry_after=2)

    client.meta.events.register("before-send", before_attempt)
    client.meta.events.register("after-call", after_call)
    client.meta.events.register("response-received", after_attempt)


@cache
def _session() -> "Session":
    # One session for all clients, so that they share its credentials.
    from botocore.session import Session

    return Session()


def error_code(error: "ClientError") -> str:
    """Return the error code in an AWS answer, such as `NoSuchKey`."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def aws_errors(what: str) -> Iterator[None]:
    """Translate botocore's errors; the message is "Could not {what}: …".

    Raises:
        Unavailable: AWS throttled, failed or did not answer; another attempt may succeed.
        DeadlineExceeded: AWS did not answer before the request's deadline.
        BadDependency: AWS refused; another attempt will fail too.
    """
    try:
        yield
    except ServiceError:
        raise
    except Exception as error:
        translated = _translate(what, error)
        if translated is None:
            raise
        raise translated from error


def _translate(what: str, error: Exception) -> ServiceError | None:
    # Imported here: services that never call AWS do not load botocore.
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
    from botocore.exceptions import ConnectionError as NoConnection

    if isinstance(error, ClientError):
        return _translate_answer(what, error_code(error))
    if isinstance(error, (HTTPClientError, NoConnection)):
        if deadline.remaining_seconds() == 0:
            return DeadlineExceeded(f"Could not {what}: AWS did not answer in time.")
        return Unavailable(f"Could not {what}: AWS does not answer; try again.", retry_after=2)
    if isinstance(error, BotoCoreError):
        return BadDependency(f"Could not {what}: {type(error).__name__}.")
    return None


def _translate_answer(what: str, code: str) -> ServiceError:
    if code in _THROTTLES:
        return Unavailable(f"Could not {what}: AWS is throttling; try again.", retry_after=2)
    if code in _OUTAGES:
        return Unavailable(f"Could not {what}: AWS failed ({code}); try again.", retry_after=2)
    if code in _REFUSALS:
        return BadDependency(
            f"Could not {what}: AWS refused it ({code}); this service's role or credentials lack "
            "the permission."
        )
    return BadDependency(f"Could not {what}: AWS answered {code or 'an error'}.")
