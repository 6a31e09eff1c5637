"""botocore clients are created once, with timeouts; their errors become `ServiceError`s."""

import threading
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError, ReadTimeoutError

from shared.aws import clients
from shared.aws.clients import aws_client, aws_errors, error_code
from shared.errors import BadDependency, DeadlineExceeded, NotFound, ServiceError, Unavailable
from shared.request import circuit_breaker, deadline
from shared.tests.servers import FrontOfAws, unused_port


def test_concurrent_threads_share_one_client(front: FrontOfAws) -> None:
    clients: list[Any] = []
    barrier = threading.Barrier(8)

    def make() -> None:
        barrier.wait()
        clients.append(aws_client("secretsmanager"))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(clients) == 8
    assert len({id(client) for client in clients}) == 1


def test_a_client_has_timeouts_limited_attempts_and_the_endpoint_of_the_environment(
    front: FrontOfAws,
) -> None:
    client = aws_client("secretsmanager", read_timeout_seconds=7)
    assert client.meta.endpoint_url == front.url
    config = client.meta.config
    assert (config.connect_timeout, config.read_timeout) == (clients.CONNECT_TIMEOUT_SECONDS, 7)
    assert config.retries["mode"] == "adaptive"
    assert config.retries["total_max_attempts"] == clients.MAX_ATTEMPTS
    assert aws_client("secretsmanager", region="eu-west-1").meta.region_name == "eu-west-1"


def _answered(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "hunter2"}}, "GetObject")


@pytest.mark.parametrize(
    ("error", "translated", "retry"),
    [
        (_answered("ThrottlingException"), Unavailable, True),
        (_answered("SlowDown"), Unavailable, True),
        (_answered("InternalError"), Unavailable, True),
        (_answered("503"), Unavailable, True),
        (_answered("AccessDenied"), BadDependency, False),
        (_answered("ExpiredToken"), BadDependency, False),
        (_answered("NoSuchBucket"), BadDependency, False),
        (ClientError({}, "GetObject"), BadDependency, False),
        (ReadTimeoutError(endpoint_url="http://x"), Unavailable, True),
        (NoCredentialsError(), BadDependency, False),
    ],
)
def test_each_botocore_error_is_translated(
    error: Exception, translated: type[ServiceError], retry: bool
) -> None:
    with pytest.raises(ServiceError) as caught, aws_errors("read the manifest"):
        raise error
    assert type(caught.value) is translated
    assert caught.value.detail.startswith("Could not read the manifest: ")
    assert "hunter2" not in caught.value.detail
    assert (caught.value.retry_after is not None) is retry
    assert caught.value.__cause__ is error


def test_a_closed_port_is_unavailable(front: FrontOfAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{unused_port()}")
    client = aws_client("secretsmanager", max_attempts=1)
    with pytest.raises(Unavailable, match="does not answer"), aws_errors("read a secret"):
        client.list_secrets()


def test_a_timeout_after_the_deadline_is_deadline_exceeded() -> None:
    with (
        deadline.scope(time.time() - 1),
        pytest.raises(DeadlineExceeded),
        aws_errors("read the manifest"),
    ):
        raise ReadTimeoutError(endpoint_url="http://x")


def test_a_service_that_keeps_failing_is_not_called(front: FrontOfAws) -> None:
    front.fail_with = (500, {"__type": "InternalServiceError"})
    client = aws_client("secretsmanager", max_attempts=1)
    for _ in range(circuit_breaker.FAILURES):
        with pytest.raises(Unavailable, match="AWS failed"), aws_errors("read a secret"):
            client.list_secrets()
    with pytest.raises(Unavailable, match="the last calls failed"), aws_errors("read a secret"):
        client.list_secrets()
    assert len(front.calls) == circuit_breaker.FAILURES


def test_refusals_and_throttling_do_not_count_as_failures(front: FrontOfAws) -> None:
    client = aws_client("secretsmanager", max_attempts=1)
    for code in ("AccessDeniedException", "ThrottlingException") * circuit_breaker.FAILURES:
        front.fail_with = (400, {"__type": code})
        with pytest.raises(ServiceError), aws_errors("read a secret"):
            client.list_secrets()
    assert len(front.calls) == 2 * circuit_breaker.FAILURES


def test_no_attempt_is_made_after_the_deadline(front: FrontOfAws) -> None:
    client = aws_client("secretsmanager")
    with (
        deadline.scope(time.time() - 1),
        pytest.raises(DeadlineExceeded),
        aws_errors("read a secret"),
    ):
        client.list_secrets()
    assert front.calls == []


@pytest.mark.parametrize(("service", "attempts"), [("dynamodb", 3), ("secretsmanager", 1)])
def test_a_truncated_answer_is_no_answer(front: FrontOfAws, service: str, attempts: int) -> None:
    """botocore repeats calls to DynamoDB, and takes the last answer's beginning for the whole."""
    front.truncates = True
    client = aws_client(service)
    call = client.list_tables if service == "dynamodb" else client.list_secrets
    with pytest.raises(Unavailable, match="broke off"), aws_errors("read a table"):
        call()
    assert len(front.calls) == attempts
    front.truncates = False
    assert "ResponseMetadata" in call()


def test_other_errors_are_not_translated() -> None:
    with pytest.raises(NotFound, match="not translated"), aws_errors("x"):
        raise NotFound("not translated")
    with pytest.raises(ZeroDivisionError), aws_errors("x"):
        _ = 1 / 0


def test_the_error_code_is_read_from_the_answer() -> None:
    assert error_code(_answered("NoSuchKey")) == "NoSuchKey"
    assert error_code(ClientError({}, "GetObject")) == ""
