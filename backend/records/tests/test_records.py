"""The program, with answers that the chat service recorded in an embedded AWS."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from chat.conversation_store import partition_of
from chat.tests.fakes import FakeModel
from records.bucket import RecordsBucket
from records.erasure import Eraser
from records.records import AWS_FAILED, FOUND, main
from records.tests.conftest import Estate
from records.versions import Version
from shared.errors import BadDependency

pytestmark = pytest.mark.anyio

ASKED = "How much of my secret income do I save?"


async def ask(estate: Estate, text: str = ASKED, conversation: str | None = None) -> dict[str, Any]:
    body: dict[str, Any] = {"messages": [{"role": "user", "content": text}]}
    if conversation:
        body["conversation_id"] = conversation
    async with estate.client() as http:
        response = await http.post("/messages", json=body)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def run(*arguments: str) -> int:
    """Run the program in a thread of its own, where it may start an event loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(main, arguments).result()


async def test_seal_export_and_verify(
    estate: Estate, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await ask(estate)
    assert run("verify", "--bucket", estate.bucket) == 0
    assert "1 not_sealed" in capsys.readouterr().out
    assert run("seal") == 0
    await ask(estate)
    assert run("seal") == 0
    assert run("export", str(tmp_path / "copy")) == 0
    capsys.readouterr()
    for source in (["--bucket", estate.bucket], ["--folder", str(tmp_path / "copy")]):
        assert run("verify", *source) == 0
        assert "2 records, 2 seals: all as written" in capsys.readouterr().out
    first, second = estate.record_keys()
    estate.s3.delete_object(Bucket=estate.bucket, Key=first)
    estate.s3.put_object(Bucket=estate.bucket, Key=second, Body=b"{}")
    assert run("verify", "--bucket", estate.bucket) == FOUND
    found = capsys.readouterr().out
    assert f"delete_marker   {first}" in found
    assert f"second_version  {second}" in found


async def test_an_answer_is_replayed_byte_for_byte(
    estate: Estate, capsys: pytest.CaptureFixture[str]
) -> None:
    first = await ask(estate)
    follow_up = "And what does it cost?"
    second = await ask(estate, follow_up, first["conversation_id"])
    greeting = await ask(estate, "Hello!")
    capsys.readouterr()
    replayed = set()
    for key in estate.record_keys():
        assert run("replay", key) == 0
        printed, answer = capsys.readouterr().out.splitlines()[-2:]
        assert "release v7" in printed
        replayed.add(answer)
    for one in (first, second, greeting):
        del one["answer_id"], one["conversation_id"]
    assert replayed == {
        orjson.dumps(one, option=orjson.OPT_SORT_KEYS).decode() for one in (first, second, greeting)
    }


async def test_another_release_shows_the_difference(
    estate: Estate, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    await ask(estate)
    monkeypatch.setattr("chat.prompt._RULES", "Other rules, {today}.")
    monkeypatch.setattr("chat.answering.NOTHING_FOUND", "Nothing.")
    monkeypatch.setattr("chat.answers.check.removals", lambda *_, **__: ())
    (key,) = estate.record_keys()
    assert run("replay", key) == FOUND
    out = capsys.readouterr().out
    assert "another prompt" in out
    assert "check that release out" in out
    assert "release v7" in out


async def test_a_record_that_does_not_exist_is_said_to_be_missing(
    estate: Estate, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("replay", "records/none.json") == FOUND
    assert run("replay", "elsewhere") == FOUND
    assert "There is no record" in capsys.readouterr().err


async def test_a_bucket_that_does_not_exist_is_an_error_of_aws(
    estate: Estate, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("verify", "--bucket", "no-such-bucket") == AWS_FAILED
    assert "Could not list the versions" in capsys.readouterr().err


# --- Erasure --------------------------------------------------------------------------------------


async def test_a_conversation_is_erased_before_its_retention_ends_only_with_a_reason(
    estate: Estate, capsys: pytest.CaptureFixture[str]
) -> None:
    conversation = (await ask(estate))["conversation_id"]
    await ask(estate, "And then?", conversation)
    other = (await ask(estate))["conversation_id"]
    assert run("erase", "--conversation", conversation) == FOUND
    refusal = capsys.readouterr().err
    until = f"{datetime.now(UTC) + timedelta(days=30):%Y-%m}"
    assert "2 records" in refusal
    assert f"retained until {until}" in refusal
    assert "--reason" in refusal
    keys = estate.record_keys()
    assert [run("replay", key) for key in keys] == [0, 0, 0]
    capsys.readouterr()

    assert run("erase", "--conversation", conversation, "--dry-run") == 0
    assert "would be destroyed" in capsys.readouterr().out
    assert run("erase", "--conversation", conversation, "--reason", "asked on 3 May") == 0
    printed = capsys.readouterr().out
    assert "the conversation's turns are deleted" in printed
    assert "2 records stay" in printed
    assert f"until {until}" in printed

    # Nothing readable is left: neither in the records, nor in either table.
    assert sorted(run("replay", key) for key in keys) == [0, FOUND, FOUND]
    capsys.readouterr()
    contents = _everything(estate, conversation, other)
    for text in (b"secret income", b"And then?", b"Save 10 percent"):
        assert text not in contents
    async with estate.client() as http:
        assert (await http.get(f"/conversations/{conversation}")).status_code == 404
        assert (await http.get(f"/conversations/{other}")).status_code == 200
    assert run("verify", "--bucket", estate.bucket) == 0
    assert run("erase", "--conversation", conversation) == 0
    assert "asked on 3 May" in capsys.readouterr().out


def _everything(estate: Estate, erased: str, other: str) -> bytes:
    """Return all that is stored, without the turns of the other conversation."""
    items = estate.dynamodb.scan(TableName=estate.conversations_table)["Items"]
    kept = [one for one in items if one["pk"]["S"] != partition_of(other)]
    keys = estate.dynamodb.scan(TableName=estate.keys_table)["Items"]
    assert not [one for one in keys if partition_of(erased) in one["pk"]["S"] and "secret" in one]
    records = [
        estate.s3.get_object(Bucket=estate.bucket, Key=key)["Body"].read()
        for key in estate.record_keys()
    ]
    return b"".join([repr(kept).encode(), repr(keys).encode(), *records])


async def test_after_retention_no_reason_is_needed(estate: Estate) -> None:
    conversation = (await ask(estate))["conversation_id"]
    bucket = RecordsBucket(estate.bucket, lambda: estate.s3)
    later = datetime.now(UTC) + timedelta(days=31)
    eraser = Eraser(bucket, estate.keys_table, estate.dynamodb, now=later)
    erasure = eraser.erase(f"conversation#{partition_of(conversation)}", reason=None)
    assert (erasure.records, erasure.was_erased) == (1, False)
    again = eraser.erase(f"conversation#{partition_of(conversation)}", reason=None)
    assert again.was_erased
    assert [one.reason for one in again.erased] == ["Retention has ended."]


async def test_a_retention_that_s3_does_not_name_is_not_taken_for_none(estate: Estate) -> None:
    """As where the role lacks s3:GetObjectRetention."""
    await ask(estate)

    class WithoutRetention:
        exceptions = estate.s3.exceptions
        get_object_lock_configuration = estate.s3.get_object_lock_configuration

        def head_object(self, **_: str) -> dict[str, str]:
            return {}

    client: Any = WithoutRetention()
    bucket = RecordsBucket(estate.bucket, lambda: client)
    with pytest.raises(BadDependency, match="s3:GetObjectRetention"):
        bucket.retained_until(Version(estate.record_keys()[0], "v1", 1, ""))


async def test_a_documents_texts_are_erased_from_all_conversations(
    estate: Estate, capsys: pytest.CaptureFixture[str]
) -> None:
    await ask(estate)
    await ask(estate)
    assert run("erase", "--document", "savings", "--reason", "licence ended") == 0
    assert "2 records stay" in capsys.readouterr().out
    for key in estate.record_keys():
        assert run("replay", key) == FOUND
        assert "There is no key of document#savings" in capsys.readouterr().err
    # Cited again, it gets a new key: new records are readable, the old ones stay erased.
    await ask(estate)
    assert sorted(run("replay", key) for key in estate.record_keys()) == [0, FOUND, FOUND]


async def test_a_documents_texts_are_erased_with_those_of_its_parts(
    estate: Estate, capsys: pytest.CaptureFixture[str]
) -> None:
    for document_id in ("savings", "savings:p2", "savings:p31", "savings2"):
        async with estate.client(savings=document_id) as http:
            messages = [{"role": "user", "content": ASKED}]
            assert (await http.post("/messages", json={"messages": messages})).status_code == 200
    assert run("erase", "--document", "savings", "--reason", "licence ended") == 0
    assert "3 records stay" in capsys.readouterr().out
    assert sorted(run("replay", key) for key in estate.record_keys()) == [0, FOUND, FOUND, FOUND]
    assert run("erase", "--document", "savings") == 0
    assert "has no key" in capsys.readouterr().out


# --- Withheld answers -----------------------------------------------------------------------------


async def test_an_answer_that_cannot_be_recorded_is_withheld_and_not_kept(estate: Estate) -> None:
    first = await ask(estate)
    # The application has its tables, and its bucket is gone: nothing can be written.
    model = FakeModel()
    async with estate.client(model=model) as http:
        for page in estate.s3.get_paginator("list_object_versions").paginate(Bucket=estate.bucket):
            for one in page.get("Versions", []):
                estate.s3.delete_object(
                    Bucket=estate.bucket,
                    Key=one["Key"],
                    VersionId=one["VersionId"],
                    BypassGovernanceRetention=True,
                )
        estate.s3.delete_bucket(Bucket=estate.bucket)
        body = {
            "messages": [{"role": "user", "content": ASKED}],
            "conversation_id": first["conversation_id"],
        }
        response = await http.post("/messages", json=body)
        assert (response.status_code, response.json()["error"]) == (503, "record_not_written")
        assert response.headers["retry-after"]
        kept = (await http.get(f"/conversations/{first['conversation_id']}")).json()
    assert len(kept["turns"]) == 1
