"""Two users of one estate never see each other's documents, whatever they do."""

import json
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.aws.user_pool import CURATOR, USERS
from local.conftest import RunningUp, start_up, stop_up

ANA, BEN = USERS
SIGN_IN = re.compile(r"AWSCognitoIdentityProviderService\.InitiateAuth' -d '(\{.*?\})' \|")
IDS = ("notes", "plan")  # both users use the same ids


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningUp]:
    running = start_up(tmp_path_factory.mktemp("users"), "--users")
    yield running
    assert stop_up(running) == 0


@dataclass
class Session:
    """A signed-in user of the estate; `seen` is every answer that the user got."""

    up: RunningUp
    token: str
    seen: list[str] = field(default_factory=list)

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        # The key that may write documents; whose they are follows from the token.
        headers = {
            "x-api-key": self.up.variables["INGEST_API_KEY"],
            "authorization": self.token,
            **more.pop("headers", {}),
        }
        answer = httpx.request(method, self.up.url + path, headers=headers, timeout=35, **more)
        self.seen.append(answer.text)
        return answer


def _sign_in(up: RunningUp, user: str) -> Session:
    """Sign in as the command does that the estate prints."""
    bodies = [json.loads(one) for one in SIGN_IN.findall(up.output.read_text())]
    [body] = [one for one in bodies if one["AuthParameters"]["USERNAME"] == user]
    answer = httpx.post(
        up.variables["AWS_ENDPOINT_URL"],
        json=body,
        headers={
            "x-amz-target": "AWSCognitoIdentityProviderService.InitiateAuth",
            "content-type": "application/x-amz-json-1.1",
        },
    )
    return Session(up, answer.json()["AuthenticationResult"]["IdToken"])


@pytest.fixture(scope="module")
def sessions(up: RunningUp) -> dict[str, Session]:
    return {user: _sign_in(up, user) for user in (*USERS, CURATOR)}


def _operator(up: RunningUp, method: str, path: str, **more: Any) -> httpx.Response:
    headers = {"x-api-key": up.variables["INGEST_API_KEY"], **more.pop("headers", {})}
    return httpx.request(method, up.url + path, headers=headers, timeout=35, **more)


def test_without_a_token_the_gateway_answers_as_aws_does(up: RunningUp) -> None:
    answer = _operator(up, "GET", "/api/status")
    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})
    assert _operator(up, "GET", "/api/health").status_code == 200


def test_a_user_cannot_become_another_by_headers(
    up: RunningUp, sessions: dict[str, Session]
) -> None:
    forged = {"x-user": "someone", "x-roles": "curators"}
    refused = sessions[ANA].call("GET", "/api/documents", headers=forged)
    assert (refused.status_code, refused.json()["error"]) == (403, "forged_identity")
    for path in ("/s3vector/documents", "/runner/jobs"):
        refused = _operator(up, "GET", path, headers=forged)
        assert (refused.status_code, refused.json()["error"]) == (403, "forged_identity")


def test_a_curators_documents_are_everybodys(sessions: dict[str, Session]) -> None:
    body = {"documents": [{"id": "rates", "text": "The common rate is 2 percent."}]}
    assert sessions[CURATOR].call("POST", "/api/documents", json=body).status_code == 200
    assert sessions[ANA].call("GET", "/api/documents/rates").json()["is_own"] is False
    assert sessions[ANA].call("DELETE", "/api/documents/rates").status_code == 403


# The operations of a user, on a document with a secret word.


def _put(session: Session, document_id: str, secret: str) -> None:
    body = {"documents": [{"id": document_id, "text": f"The savings secret is {secret}."}]}
    assert session.call("POST", "/api/documents", json=body).status_code == 200


def _ingest(session: Session, document_id: str, secret: str) -> None:
    body = {"documents": [{"id": document_id, "text": f"The savings secret is {secret}."}]}
    job = session.call("POST", "/api/ingestions", json=body).json()["id"]
    assert _operator(session.up, "POST", f"/runner/jobs/{job}/run").status_code == 200


def _search(session: Session, _id: str, _secret: str) -> None:
    assert session.call("POST", "/api/search", json={"text": "savings secret"}).status_code == 200


def _list(session: Session, _id: str, _secret: str) -> None:
    assert session.call("GET", "/api/documents").status_code == 200


def _read(session: Session, document_id: str, _secret: str) -> None:
    session.call("GET", f"/api/documents/{document_id}")


def _delete(session: Session, document_id: str, _secret: str) -> None:
    assert session.call("DELETE", f"/api/documents/{document_id}").status_code in {204, 404}


def _ask(session: Session, _id: str, _secret: str) -> None:
    question = {"question": "What is the savings secret?"}
    assert session.call("POST", "/api/ask", json=question).status_code == 200


OPERATIONS: tuple[Callable[[Session, str, str], None], ...] = (
    _put, _ingest, _search, _list, _read, _delete, _ask,
)  # fmt: skip


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(st.sampled_from(USERS), st.sampled_from(OPERATIONS), st.sampled_from(IDS)),
        min_size=4,
        max_size=12,
    )
)
def test_two_users_never_see_each_others_documents(
    sessions: dict[str, Session], steps: list[tuple[str, Callable[..., None], str]]
) -> None:
    # Both begin with a document, so that every run has something to hide.
    steps = [(user, _put, IDS[0]) for user in USERS] + steps
    written: dict[tuple[str, str], str] = {}
    for user, operation, document_id in steps:
        session = sessions[user]
        secret = f"{user}private{uuid.uuid4().hex}"
        operation(session, document_id, secret)
        if operation in {_put, _ingest}:
            written[user, document_id] = secret
        if operation is _delete:
            written.pop((user, document_id), None)
        for other in set(USERS) - {user}:
            assert not [text for text in session.seen if f"{other}private" in text]
    for (user, document_id), secret in written.items():
        assert secret in sessions[user].call("GET", f"/api/documents/{document_id}").text
        found = sessions[user].call("POST", "/api/search", json={"text": f"secret {secret}"})
        assert secret in found.text


def test_an_answer_is_made_from_ones_own_documents(sessions: dict[str, Session]) -> None:
    for user in USERS:
        _put(sessions[user], "notes", f"{user}privateanswer")
    for user in USERS:
        _ask(sessions[user], "", "")
    assert not [text for text in sessions[ANA].seen if f"{BEN}private" in text]
    assert not [text for text in sessions[BEN].seen if f"{ANA}private" in text]
    # The stand-in of Bedrock answers from the passages that it gets.
    assert f"{ANA}privateanswer" in sessions[ANA].seen[-1]


def test_jobs_and_conversations_are_their_owners(sessions: dict[str, Session]) -> None:
    body = {"documents": [{"id": "notes", "text": "A text."}]}
    job = sessions[ANA].call("POST", "/api/ingestions", json=body).json()["id"]
    asked = sessions[ANA].call("POST", "/api/ask", json={"question": "Hello!"}).json()
    for path in (f"/api/ingestions/{job}", f"/api/conversations/{asked['conversation_id']}"):
        assert sessions[ANA].call("GET", path).status_code == 200
        assert sessions[BEN].call("GET", path).status_code == 404


def test_logs_name_users_by_pseudonym(up: RunningUp, sessions: dict[str, Session]) -> None:
    sessions[ANA].call("GET", "/api/documents")
    lines = [json.loads(one) for one in up.log("s3vector").splitlines() if '"user"' in one]
    assert {len(line["user"]) for line in lines} == {32}
