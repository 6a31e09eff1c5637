"""The program against an API on a socket: what it prints, and how it ends."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from client.advisor import main
from client.cli.batches import INLINE_BYTES
from client.cli.outcome import Exit
from client.tests.fakes import ANSWER, FakeApi, job

Run = Callable[..., tuple[int, str, str]]
TRACE = "1-6b0af7f0-6df12587c75f74d56d907bc0"


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi().serving() as api:
        yield api


@pytest.fixture
def run(api: FakeApi, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> Run:
    """Run the program; return exit code, standard output and standard error."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    def run(*arguments: str, **environment: str) -> tuple[int, str, str]:
        values = {"API_GATEWAY_URL": f"{api.url}/dev", "API_KEY": "k", "INGEST_API_KEY": "i"}
        code = main(arguments, values | environment)
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return code, printed.out, printed.err

    return run


def test_an_answer_has_numbered_citations(run: Run, api: FakeApi) -> None:
    code, out, _ = run("ask", "How much?", "--top-k", "3", "--filter", '{"year": 2026}')
    assert code == Exit.DONE
    assert "Keep three months [1]." in out
    assert "[1] fund, Funds, page 2" in out
    assert '"Three months."' in out
    assert api.requests[0][2]["x-api-key"] == "k"


def test_json_is_all_that_is_printed(run: Run) -> None:
    code, out, _ = run("ask", "How much?", "--json")
    assert (code, json.loads(out)["citations"][0]["document_id"]) == (Exit.DONE, "fund")


def test_an_unanswered_question_is_not_done(run: Run, api: FakeApi) -> None:
    unknown = ANSWER | {"answer": "I do not know.", "status": "unknown", "citations": []}
    api.replies["POST /dev/api/ask"] = lambda _: (200, unknown)
    code, out, _ = run("ask", "Why?")
    assert (code, "I do not know." in out) == (Exit.NOT_DONE, True)


def test_passages_are_numbered(run: Run, api: FakeApi) -> None:
    text = {"document_id": "a", "text": "Save [bold].", "version": "1"}
    passages = [
        text | {"passage_id": "a#0", "score": 0.5},
        text | {"passage_id": "a#1", "score": None, "lexical": 7.25},
    ]
    found = {"passages": passages, "embedding_model": "model"}
    api.replies["POST /dev/api/search"] = lambda _: (200, found)
    code, out, _ = run("search", "save")
    assert code == Exit.DONE
    assert "1. a#0  (0.500)" in out
    assert "2. a#1  (BM25 7.250)" in out
    assert "Save [bold]." in out


def test_status_is_the_services_or_an_ingestions(run: Run, api: FakeApi) -> None:
    services = {
        "chat": {"service": "chat", "healthy": True, "status": 200, "duration": 0.01},
        "runner": {"service": "runner", "healthy": False, "duration": 1.0, "detail": "no answer"},
    }
    health = {"service": "api", "healthy": False, "services": services}
    api.replies["GET /dev/api/test"] = lambda _: (200, health)
    code, out, _ = run("status")
    assert (code, "no answer" in out) == (Exit.NOT_DONE, True)
    running = job("job-1", state="running", total=2, done=1)
    api.replies["GET /dev/api/ingestions/job-1"] = lambda _: (200, running)
    code, out, _ = run("status", "job-1")
    assert (code, "1 of 2 documents" in out) == (Exit.DONE, True)
    assert api.requests[-1][2]["x-api-key"] == "i"


@pytest.mark.parametrize(
    ("reply", "code", "words"),
    [
        ((403, {"message": "Forbidden"}), Exit.NOT_PERMITTED, "API key"),
        (
            (403, {"error": "missing_scope", "detail": "lacks the scope"}),
            Exit.NOT_PERMITTED,
            "scope",
        ),
        (
            (404, {"error": "not_found", "detail": "no conversation"}),
            Exit.NOT_FOUND,
            "conversation",
        ),
        ((422, {"error": "unprocessable", "detail": "top_k: too large"}), Exit.USAGE, "top_k"),
        ((429, {"message": "Limit Exceeded"}), Exit.UNAVAILABLE, "Limit Exceeded"),
        ((502, {"error": "x", "detail": "why", "request_id": "r-1"}), Exit.UNAVAILABLE, "r-1"),
        ((200, {"unexpected": True}), Exit.NOT_DONE, "API_GATEWAY_URL"),
    ],
)
def test_an_error_is_one_line_and_an_exit_code(
    run: Run, api: FakeApi, reply: Any, code: Exit, words: str
) -> None:
    api.replies["POST /dev/api/ask"] = lambda _: reply
    ended, out, err = run("ask", "How much?")
    assert (ended, out) == (code, "")
    assert words in err
    assert api.count("POST") == 1  # a question that may have been answered is not repeated


def test_what_is_missing_is_named(run: Run) -> None:
    code, _, err = run("ask", "x", API_GATEWAY_URL="")
    assert (code, "API_GATEWAY_URL" in err) == (Exit.USAGE, True)
    code, _, err = run("ask", "x", API_GATEWAY_URL="http://gateway.example/dev")
    assert (code, "https://" in err) == (Exit.USAGE, True)
    code, _, err = run("ask", "x", API_KEY="", INGEST_API_KEY="")
    assert (code, "API_KEY" in err) == (Exit.NOT_PERMITTED, True)


def test_a_gateway_that_is_not_there_is_said_to_be(run: Run) -> None:
    code, _, err = run("status", API_GATEWAY_URL="http://127.0.0.1:9/dev")
    assert (code, "cannot be reached" in err) == (Exit.UNAVAILABLE, True)


def test_a_secret_has_the_key(run: Run, api: FakeApi, aws: Any) -> None:
    secrets = boto3.client("secretsmanager", region_name="us-east-1")
    secrets.create_secret(Name="the/key", SecretString='{"api_key": "from-the-secret"}')
    assert run("ask", "x", "--secret", "the/key")[0] == Exit.DONE
    assert api.requests[0][2]["x-api-key"] == "from-the-secret"
    code, _, err = run("ask", "x", "--secret", "no/key")
    assert (code, "no/key" in err) == (Exit.NOT_FOUND, True)


# --- Traces ---------------------------------------------------------------------------------------


def test_a_trace_is_a_waterfall_where_the_console_has_it(run: Run, api: FakeApi) -> None:
    spans = [
        {"span_id": "b", "parent_id": "a", "service": "chat", "name": "POST /messages"},
        {"span_id": "a", "parent_id": "", "service": "api", "name": "POST /ask"},
    ]
    timed = [one | {"start_ns": n, "end_ns": 9_000_000} for n, one in enumerate(spans)]
    api.replies[f"GET /traces/{TRACE}"] = lambda _: (200, {"spans": timed})
    code, out, _ = run("trace", TRACE.replace("-", "")[1:], CONSOLE_URL=api.url)
    assert code == Exit.DONE
    lines = [line for line in out.splitlines() if "POST" in line]
    assert ["POST /ask" in line for line in lines] == [True, False]
    other = TRACE.replace("6b", "7b")
    assert run("trace", other, CONSOLE_URL=api.url)[0] == Exit.NOT_DONE  # the fake answers 403
    api.replies[f"GET /traces/{TRACE}"] = lambda _: (404, {})
    assert run("trace", TRACE, CONSOLE_URL=api.url)[0] == Exit.NOT_FOUND


def test_in_aws_a_trace_is_in_x_ray(run: Run) -> None:
    gateway = "https://abc.execute-api.eu-central-1.amazonaws.com/dev"
    code, out, _ = run("trace", TRACE, API_GATEWAY_URL=gateway)
    assert code == Exit.DONE
    assert f"home?region=eu-central-1#xray:traces/{TRACE}" in out
    assert "https://eu-central-1.console.aws.amazon.com/" in out
    assert run("trace", "nonsense")[0] == Exit.USAGE


# --- Ingestions -----------------------------------------------------------------------------------


def states(out: str) -> dict[str, str]:
    return {Path(one["file"]).name: one["state"] for one in json.loads(out)["files"]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "fund.md").write_text("# Funds")
    (tmp_path / "rates.txt").write_text("Two per cent.")
    (tmp_path / "large.txt").write_text("x" * (INLINE_BYTES + 1))
    (tmp_path / "photo.png").write_bytes(b"png")
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / ".hidden.txt").write_text("hidden")
    return tmp_path


EXPECTED = {
    "fund.md": "stored",
    "rates.txt": "stored",
    "large.txt": "stored",
    "photo.png": "skipped",
    "empty.txt": "skipped",
}


def test_a_folder_is_ingested_and_a_second_run_sends_nothing(
    run: Run, api: FakeApi, folder: Path
) -> None:
    code, out, _ = run("ingest", str(folder), "--json")
    assert (code, states(out)) == (Exit.DONE, EXPECTED)
    assert {one["content"][:5] for one in api.documents.values()} == {"# Fun", "Two p", "xxxxx"}
    assert [len(one) for one in api.uploads.values()] == [INLINE_BYTES + 1]
    [put] = [headers for method, _, headers in api.requests if method == "PUT"]
    assert "x-api-key" not in put
    sent = api.count("POST")
    code, out, _ = run("ingest", str(folder), "--json")
    assert (code, set(states(out).values())) == (Exit.DONE, {"skipped"})
    assert api.count("POST") == sent


def test_only_what_changed_is_stored_again(run: Run, api: FakeApi, folder: Path) -> None:
    run("ingest", str(folder), "--json")
    (folder / "rates.txt").write_text("Three per cent.")
    code, out, _ = run("ingest", str(folder), "--json")
    assert code == Exit.DONE
    assert [name for name, state in states(out).items() if state == "stored"] == ["rates.txt"]
    assert api.documents["rates.txt"]["content"] == "Three per cent."
    assert api.count("PUT /s3") == 1  # the large file is there already


def test_a_file_that_s3_does_not_take_ends_the_run(run: Run, api: FakeApi, tmp_path: Path) -> None:
    content = "x" * (INLINE_BYTES + 1)
    (tmp_path / "large.txt").write_text(content)
    digest = hashlib.sha256(content.encode()).hexdigest()
    api.replies[f"PUT /s3/{digest}"] = lambda _: (403, {})
    code, _, err = run("ingest", str(tmp_path))
    assert (code, "The upload to S3 failed: HTTP 403." in err) == (Exit.NOT_PERMITTED, True)


def test_problems_are_listed_by_file_and_tried_again(run: Run, api: FakeApi, folder: Path) -> None:
    api.problems["rates.txt"] = {"detail": "it is encrypted"}
    api.problems["large.txt"] = {"detail": "a scan", "pages": [{"first": 2, "last": 3}]}
    code, out, _ = run("ingest", str(folder))
    assert code == Exit.NOT_DONE
    assert "it is encrypted" in out
    assert "without pages 2 to 3: a scan" in out
    api.problems.clear()
    code, out, _ = run("ingest", str(folder), "--json")
    assert (code, states(out)["rates.txt"]) == (Exit.DONE, "stored")


def test_an_interrupted_run_reports_and_the_next_one_continues_the_same_ingestion(
    run: Run, api: FakeApi, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = api.respond

    def fails(method: str, path: str, headers: dict[str, str], content: bytes) -> Any:
        if path.startswith("/dev/runner/"):
            return 503, {"error": "unavailable", "detail": "down", "request_id": "r"}
        return original(method, path, headers, content)

    monkeypatch.setattr(api, "respond", fails)
    code, out, err = run("ingest", str(folder), "--json")
    assert code == Exit.UNAVAILABLE
    assert states(out)["rates.txt"] == "sent"
    assert "same command continues" in err
    started = set(api.jobs)
    monkeypatch.setattr(api, "respond", original)
    code, out, _ = run("ingest", str(folder), "--json")
    assert (code, states(out)) == (Exit.DONE, EXPECTED)
    assert set(api.jobs) == started


def test_ctrl_c_ends_with_130_and_says_what_is_known(
    run: Run, api: FakeApi, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("client.cli.runner.Runner.run_slice", interrupted)
    code, out, err = run("ingest", str(folder), "--json")
    assert (code, states(out)["fund.md"]) == (Exit.INTERRUPTED, "sent")
    assert "Interrupted." in err


def test_a_key_that_may_not_run_slices_only_waits(run: Run, api: FakeApi, folder: Path) -> None:
    api.may_run = False
    code, out, _ = run("ingest", str(folder), "--json")
    assert (code, states(out)) == (Exit.DONE, EXPECTED)


def test_wrong_paths_are_named(run: Run, tmp_path: Path) -> None:
    code, _, err = run("ingest", str(tmp_path / "none"))
    assert (code, "There is no file" in err) == (Exit.USAGE, True)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.txt").write_text(name)
    code, _, err = run("ingest", str(tmp_path / "a"), str(tmp_path / "b"))
    assert (code, "'x.txt'" in err) == (Exit.USAGE, True)


@pytest.mark.parametrize(
    "arguments", [[], ["ask"], ["ask", "x", "--top-k", "0"], ["status", ".."], ["dance"]]
)
def test_a_wrong_command_line_ends_with_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments, {})
    assert ended.value.code == Exit.USAGE
