"""The client drives every operation of the front door, and every error has its type."""

import inspect
import uuid
from collections.abc import Iterator

import httpx
import pytest
from pydantic import BaseModel

from client import Client, errors, models
from client.api.operations import Operations
from local.aws.server import boto3_client
from local.blueprint import ACCOUNT_ID, REGION
from local.conftest import RunningUp, start_up, stop_up
from shared.testing import body_examples

# These make what the other operations read; what deletes comes last.
_FIRST = ("store_documents", "ask", "start_ingestion")
_OPERATIONS = sorted(
    (name for name, _ in inspect.getmembers(Operations, inspect.isfunction) if name[0] != "_"),
    key=lambda name: (
        name.startswith("delete"),
        _FIRST.index(name) if name in _FIRST else len(_FIRST),
        name,
    ),
)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningUp]:
    running = start_up(tmp_path_factory.mktemp("client"), "--tracing", "off")
    s3 = boto3_client("s3", endpoint_url=running.variables["AWS_ENDPOINT_URL"], region=REGION)
    # The prefix of the document's example.
    s3.put_object(
        Bucket=f"fin-advisor-dev-jobs-{ACCOUNT_ID}-{REGION}",
        Key="uploads/2026/savings.txt",
        Body=b"Save first.",
    )
    yield running
    assert stop_up(running) == 0


@pytest.fixture
def client(up: RunningUp) -> Iterator[Client]:
    """The client with the key that may do everything."""
    with Client(up.url, up.variables["INGEST_API_KEY"], attempts=1) as made:
        yield made


def order(up: RunningUp, fault: str) -> None:
    answer = httpx.post(
        up.variables["CONSOLE_URL"] + "faults", json={"fault": fault}, headers=up.headers
    )
    assert answer.status_code == 200, answer.text


def test_every_operation_answers_the_documents_examples(up: RunningUp, client: Client) -> None:
    document = httpx.get(f"{up.url}/api/openapi.json", headers=up.headers, timeout=60).json()
    described = {
        operation["operationId"]: operation
        for methods in document["paths"].values()
        for operation in methods.values()
    }
    assert set(described) == set(_OPERATIONS)
    known = {"document_id": "emergency-fund"}
    for name in _OPERATIONS:
        for body in body_examples(document, described[name]):
            method = getattr(client, name)
            parameters = inspect.signature(method).parameters
            values = [known[one] for one in parameters if one in known]
            if body is not None:
                declared = parameters["body"].annotation
                is_model = inspect.isclass(declared) and issubclass(declared, BaseModel)
                values.append(declared.model_validate(body) if is_model else body)
            answer = method(*values)
            if inspect.isgenerator(answer):
                assert list(answer), name
            if name == "ask":
                known |= {
                    "conversation_id": answer.conversation_id,
                    "answer_id": answer.answer_id,
                }
            elif name == "start_ingestion":
                known["ingestion_id"] = answer.id


def test_answers_are_typed(client: Client) -> None:
    stored = client.store_documents(
        models.DocumentsRequest(
            documents=[models.DocumentBody(id="typed", text="Bonds pay interest.", title="Bonds")]
        )
    )
    assert [one.id for one in stored.documents] == ["typed"]
    read = client.get_document("typed")
    assert (read.title, read.updated_at.utcoffset().total_seconds()) == ("Bonds", 0)  # type: ignore[union-attr]
    assert read.contents[0].text == "Bonds pay interest."
    ids: list[str] = []
    page = client.list_documents(limit=1)
    while True:
        ids += [one.id for one in page.documents]
        if page.cursor is None:
            break
        page = client.list_documents(limit=1, cursor=page.cursor)
    assert "typed" in ids
    assert len(set(ids)) == len(ids)


def test_a_repeated_ingestion_is_the_same_one(client: Client) -> None:
    key = f"test-{uuid.uuid4()}"
    body = models.IngestionRequest(
        documents=[models.IngestedDocument(id="repeated", text="Save first.")]
    )
    first = client.start_ingestion(body, idempotency_key=key)
    assert client.start_ingestion(body, idempotency_key=key).id == first.id
    other = models.IngestionRequest(documents=[models.IngestedDocument(id="other", text="Save.")])
    with pytest.raises(errors.Conflict):
        client.start_ingestion(other, idempotency_key=key)


def test_a_refused_request_has_the_type_of_its_reason(up: RunningUp, client: Client) -> None:
    with pytest.raises(errors.NotFound) as missing:
        client.get_document("no-such-document")
    assert missing.value.code == "not_found"
    assert missing.value.request_id
    with pytest.raises(errors.Validation, match="question"):
        client.ask(models.AskRequest(question=""))
    with (
        Client(up.url, up.variables["API_KEY"]) as reader,
        pytest.raises(errors.MissingScope, match="api:write"),
    ):
        reader.delete_document("emergency-fund")
    with Client(up.url, "wrong") as stranger, pytest.raises(errors.Forbidden) as refused:
        stranger.get_status()
    assert (refused.value.code, refused.value.detail) == ("gateway", "Forbidden")


@pytest.mark.parametrize("megabytes", [7, 11], ids=["by the service", "by the gateway"])
def test_a_large_body_is_refused_as_too_large(client: Client, megabytes: int) -> None:
    with pytest.raises(errors.TooLarge):
        client.search(models.SearchRequest(text="x" * megabytes * 1024 * 1024))


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("gateway:error=401,times=1", errors.Unauthenticated),
        ("gateway:error=429,times=1", errors.QuotaExceeded),
        ("api:error=429,times=1", errors.Throttled),
        ("api:error=500,times=1", errors.InternalError),
        ("api:error=503,times=1", errors.Unavailable),
        ("api:error=507,times=1", errors.CapacityExceeded),
        ("api:reset,times=1", errors.BadGateway),
        ("gateway:error=504,times=1", errors.GatewayTimeout),
        ("gateway:reset,times=1", errors.TimedOut),
    ],
)
def test_an_outage_has_its_own_type(
    up: RunningUp, client: Client, fault: str, expected: type[errors.AdvisorError]
) -> None:
    order(up, fault)
    with pytest.raises(expected) as caught:
        client.get_status()
    assert type(caught.value) is expected
    assert client.get_status().service == "api"


def test_a_read_outlives_a_short_outage(up: RunningUp) -> None:
    order(up, "gateway:error=502,times=2")
    with Client(up.url, up.variables["API_KEY"]) as patient:
        assert patient.get_status().service == "api"


def test_a_stopped_gateway_is_unreachable() -> None:
    with (
        Client("http://127.0.0.1:9/dev", "key", attempts=2) as client,
        pytest.raises(errors.Unreachable),
    ):
        client.get_status()
