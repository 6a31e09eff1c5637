"""Conversations through the gateway, on the whole estate."""

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from local.aws.server import boto3_client
from local.blueprint import ACCOUNT_ID, REGION
from local.conftest import RunningUp
from local.demo.documents import documents

DISCLOSURE = "An AI system wrote this answer"


def call(estate: RunningUp, method: str, path: str, **more: Any) -> httpx.Response:
    options: dict[str, Any] = {"headers": estate.headers, "timeout": 35, **more}
    return httpx.request(method, estate.url + path, **options)


def ask(estate: RunningUp, question: str, conversation_id: str | None = None) -> dict[str, Any]:
    body = {"question": question}
    if conversation_id is not None:
        body["conversation_id"] = conversation_id
    response = call(estate, "POST", "/api/ask", json=body)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def cited(answer: dict[str, Any]) -> set[str]:
    return {citation["document_id"] for citation in answer["citations"]}


@pytest.fixture(autouse=True)
def _stored(estate: RunningUp) -> None:
    stored = call(
        estate,
        "POST",
        "/api/documents",
        json={"documents": documents()},
        headers=estate.ingest_headers,
    )
    assert stored.status_code == 200


def test_an_answer_is_checked_disclosed_and_found_again(estate: RunningUp) -> None:
    answer = ask(estate, "How large should an emergency fund be?")
    assert answer["status"] == "answered"
    assert "three to six months" in answer["answer"]
    assert answer["disclosure"].startswith(DISCLOSURE)
    assert answer["relevance"] == "relevant"
    for citation in answer["citations"]:
        assert f"[{citation['marker']}]" in answer["answer"]
        for span in citation["spans"]:
            assert answer["answer"][span["start"] : span["end"]]
    document = next(one for one in documents() if one["id"] == "emergency-fund")
    quotes = [one["quote"] for one in answer["citations"] if one["document_id"] == document["id"]]
    assert quotes
    assert all(quote in document["text"] for quote in quotes)


def test_a_follow_up_is_understood_and_a_change_of_topic_too(estate: RunningUp) -> None:
    first = ask(estate, "What is a high-yield savings account?")
    conversation = first["conversation_id"]
    follow_up = ask(estate, "Is the money in it insured?", conversation)
    assert "high-yield-savings" in cited(follow_up)
    change = ask(estate, "What do bonds do when interest rates rise?", conversation)
    assert "bonds" in cited(change)
    assert "high-yield-savings" not in cited(change)
    assert len({one["answer_id"] for one in (first, follow_up, change)}) == 3


def test_another_device_continues_and_reads_the_conversation(estate: RunningUp) -> None:
    questions = ["What is a high-yield savings account?", "Is the money in it insured?"]
    conversation = ask(estate, questions[0])["conversation_id"]
    # Each call is a connection of its own: only the id connects them.
    last = ask(estate, questions[1], conversation)
    assert last["conversation_id"] == conversation
    kept = call(estate, "GET", f"/api/conversations/{conversation}").json()
    assert [turn["question"] for turn in kept["turns"]] == questions
    assert kept["turns"][1]["answer"]["answer"] == last["answer"]


def test_two_conversations_never_mix(estate: RunningUp) -> None:
    savings = ask(estate, "What is a high-yield savings account?")["conversation_id"]
    funds = ask(estate, "What is an index fund?")["conversation_id"]
    assert savings != funds
    assert "index-funds" in cited(ask(estate, "What does it cost?", funds))
    for conversation, topic in ((savings, "savings account"), (funds, "index fund")):
        turns = call(estate, "GET", f"/api/conversations/{conversation}").json()["turns"]
        assert topic in turns[0]["question"]
    assert len(turns) == 2


def test_an_erased_conversation_is_gone(estate: RunningUp) -> None:
    answer = ask(estate, "What is an index fund?")
    path = f"/api/conversations/{answer['conversation_id']}"
    assert call(estate, "DELETE", path).status_code == 204
    assert call(estate, "GET", path).status_code == 404
    body = {"question": "Why?", "conversation_id": answer["conversation_id"]}
    assert call(estate, "POST", "/api/ask", json=body).status_code == 404
    feedback = f"/api/answers/{answer['answer_id']}/feedback"
    assert call(estate, "POST", feedback, json={"rating": "up"}).status_code == 404


def test_feedback_is_kept_with_its_answer(estate: RunningUp) -> None:
    answer = ask(estate, "What is an index fund?")
    feedback = {"rating": "down", "reason": "Too short."}
    rated = call(estate, "POST", f"/api/answers/{answer['answer_id']}/feedback", json=feedback)
    assert rated.status_code == 204
    kept = call(estate, "GET", f"/api/conversations/{answer['conversation_id']}").json()
    assert kept["turns"][0]["feedback"] == feedback
    unknown = call(estate, "POST", "/api/answers/a_unknown/feedback", json=feedback)
    assert unknown.status_code == 404


def test_an_unknown_conversation_is_not_found(estate: RunningUp) -> None:
    body = {"question": "Why?", "conversation_id": f"c_{uuid4().hex}"}
    response = call(estate, "POST", "/api/ask", json=body)
    assert (response.status_code, response.json()["error"]) == (404, "not_found")


def test_a_greeting_is_answered_without_a_model(estate: RunningUp) -> None:
    answer = ask(estate, "Hello!")
    assert (answer["status"], answer["model_id"], answer["citations"]) == ("answered", None, [])
    assert answer["answer"].startswith("Hello.")


def test_each_answer_is_recorded_and_its_texts_are_encrypted(estate: RunningUp) -> None:
    url = estate.variables["AWS_ENDPOINT_URL"]
    store = boto3_client("s3", endpoint_url=url, region=REGION)
    bucket = f"fin-advisor-dev-records-{ACCOUNT_ID}-{REGION}"

    def keys() -> set[str]:
        listed = store.list_objects_v2(Bucket=bucket, Prefix="records/")
        return {one["Key"] for one in listed.get("Contents", [])}

    before = keys()
    ask(estate, "How large should an emergency fund be?")
    (key,) = keys() - before
    content = store.get_object(Bucket=bucket, Key=key)["Body"].read()
    fields = json.loads(content)
    assert fields["verdict"]["status"] == "answered"
    assert fields["caller"]
    assert all(passage["document_version"] for passage in fields["passages"])
    assert b"emergency fund be" not in content
    assert b"three to six months" not in content
