"""Starting and stopping the estate, and what can go wrong."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from local.compute.processes import BACKEND
from local.conftest import RunningUp, start_up, stop_up, wait_until
from services.declared import FILE


def run_up(
    *arguments: str, backend: Path = BACKEND, variables: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "local.up", *arguments],
        env={**os.environ, "PYTHONPATH": str(backend), **(variables or {})},
        cwd=backend.parent,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def copy_backend(folder: Path) -> Path:
    """A copy of the sources that a test may change."""
    ignored = shutil.ignore_patterns("tests", "__pycache__", "benchmarks")
    shutil.copytree(BACKEND, folder / "backend", ignore=ignored)
    shutil.copy(FILE, folder)
    (folder / "terraform").mkdir()
    shutil.copy(BACKEND.parent / "terraform" / "operations.json", folder / "terraform")
    return folder / "backend"


def running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


_UNREACHABLE_PROXY = "http://127.0.0.1:9"
_PROXIED = {
    name: _UNREACHABLE_PROXY
    for proxy in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    for name in (proxy, proxy.lower())
}


def test_the_demonstration_answers_on_80_columns_behind_a_proxy_and_with_a_read_only_home() -> None:
    # Nobody, not even root, can write to /dev/null/home.
    variables = {**_PROXIED, "HOME": "/dev/null/home", "COLUMNS": "80"}
    done = run_up("--port", "0", "--demo", variables=variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert "Ready in" in done.stdout
    shown = done.stdout.split("Ready in")[1]
    assert "client -> gateway -> api -> gateway -> chat -> gateway -> s3vector" in shown
    citations = shown.split("Citations\n")[1].split("\n\n")[0]
    assert len(citations.splitlines()) >= 2
    assert "three to six months" in " ".join(shown.split())
    # Only lines with values to copy (URLs, keys, folders) may be longer.
    assert all(len(line) <= 80 for line in shown.splitlines() if "=" not in line[:24])
    assert shown.isascii()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_it_and_every_child(tmp_path: Path, number: signal.Signals) -> None:
    started = start_up(tmp_path)
    children = started.children()
    assert len(children) >= 4
    logs = Path(started.variables["LOG_DIR"])
    started.process.send_signal(number)
    assert started.process.wait(timeout=60) == 0
    assert wait_until(lambda: not any(map(running, children)), seconds=20)
    assert not logs.exists()
    assert not (tmp_path / "estate.env").exists()
    with pytest.raises(httpx.ConnectError):
        httpx.get(started.url)


def test_ctrl_c_in_a_terminal_reaches_the_group_and_stops_it_in_order(tmp_path: Path) -> None:
    started = start_up(tmp_path)
    children = started.children()
    for pid in (started.process.pid, *children):
        os.kill(pid, signal.SIGINT)
    assert started.process.wait(timeout=60) == 0
    assert wait_until(lambda: not any(map(running, children)), seconds=20)
    assert "ended" not in started.output.read_text()
    assert not (tmp_path / "estate.env").exists()


def test_everything_that_keeps_it_from_starting_is_one_line_each_at_once(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run_up(
            *("--port", str(port), "--env-file", str(tmp_path), "--bedrock", "x", "--terraform"),
            variables={"PATH": str(tmp_path)},
        )
    assert done.returncode == 2
    *problems, hint = done.stderr.splitlines()
    assert hint == "`--help` lists all options"
    assert [line.removeprefix("cannot start: ").split(": ")[0] for line in problems][:4] == [
        "--bedrock",
        "--env-file",
        f"port {port} cannot be used (Address already in use)",
        "--terraform",
    ]
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_a_service_that_does_not_start_is_one_clear_line_for_each(tmp_path: Path) -> None:
    copy = copy_backend(tmp_path)
    (copy / "chat" / "handler.py").write_text("raise RuntimeError('CHAT_MODEL_ID is not set')\n")
    (copy / "runner" / "server.py").write_text("raise SystemExit('no bucket')\n")
    done = run_up("--port", "0", backend=copy)
    assert done.returncode == 1
    lines = [line for line in done.stdout.splitlines() if line.startswith("cannot start: ")]
    assert len(lines) == 2
    assert "RuntimeError: CHAT_MODEL_ID is not set" in "".join(lines)
    assert "cannot start: runner does not start: exit status 1: no bucket" in lines
    assert "Traceback" not in done.stdout + done.stderr


def test_a_runner_that_keeps_dying_is_reported_and_the_rest_keeps_running(tmp_path: Path) -> None:
    started = start_up(tmp_path)
    killed: set[int] = set()

    def is_paused() -> bool:
        for pid in started.children("runner.server") - killed:
            os.kill(pid, signal.SIGKILL)
            killed.add(pid)
        return "runner ended and starts again in " in started.output.read_text()

    assert wait_until(is_paused, seconds=120)
    headers = {"x-api-key": started.variables["API_KEY"]}
    url = f"{started.variables['API_GATEWAY_URL']}/s3vector/health"
    assert httpx.get(url, headers=headers, timeout=30, trust_env=False).status_code == 200
    assert stop_up(started) == 0


# --reload, on a copy of the sources.


_ROUTE = (
    '\n\n@router.get("/fresh")\ndef get_fresh() -> dict[str, str]:\n'
    '    """Say it."""\n    return {{"text": "{text}"}}\n'
)


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = copy_backend(tmp_path_factory.mktemp("reload"))
    declared = copy.parent / FILE.name
    content = json.loads(declared.read_text())
    content["api"]["access"]["read"].append("GET /fresh")  # an undeclared route is closed
    declared.write_text(json.dumps(content))
    return copy


@pytest.fixture(scope="module")
def source(copied: Path) -> str:
    return (copied / "api" / "routes.py").read_text()


@pytest.fixture(scope="module")
def reloading(copied: Path, source: str) -> Iterator[RunningUp]:
    (copied / "api" / "routes.py").write_text(source + _ROUTE.format(text="first"))
    started = start_up(copied.parent, "--reload", backend=copied)
    yield started
    assert stop_up(started) == 0


def save(copied: Path, text: str) -> None:
    (copied / "api" / "routes.py").write_text(text)


def text_of(reloading: RunningUp) -> str:
    answer = httpx.get(f"{reloading.url}/api/fresh", headers=reloading.headers, timeout=35)
    assert answer.status_code == 200
    return str(json.loads(answer.text)["text"])


def answers(reloading: RunningUp, text: str) -> bool:
    return wait_until(lambda: text_of(reloading) == text, seconds=120)


def test_a_saved_route_answers_without_a_restart_of_the_rest(
    reloading: RunningUp, copied: Path, source: str
) -> None:
    assert text_of(reloading) == "first"
    others = reloading.children() - reloading.children("api.handler.handler")
    save(copied, source + _ROUTE.format(text="second"))
    assert answers(reloading, "second")
    assert others <= reloading.children()


def test_a_syntax_error_is_shown_and_the_old_code_keeps_running(
    reloading: RunningUp, copied: Path, source: str
) -> None:
    before = text_of(reloading)
    save(copied, source + "\n\ndef broken(:\n")
    shown = "api: the new code does not start, the old keeps running"
    assert wait_until(lambda: shown in reloading.output.read_text(), seconds=120)
    assert "SyntaxError" in reloading.output.read_text()
    assert text_of(reloading) == before
    save(copied, source + _ROUTE.format(text="mended"))
    assert answers(reloading, "mended")


def test_an_operation_answers_once_it_is_declared(
    reloading: RunningUp, copied: Path, source: str
) -> None:
    def status() -> int:
        url = f"{reloading.url}/api/later"
        return httpx.get(url, headers=reloading.headers, timeout=35).status_code

    later = _ROUTE.replace("fresh", "later")
    save(copied, source + _ROUTE.format(text="third") + later.format(text="later"))
    assert answers(reloading, "third")
    assert status() == 404
    declared = copied.parent / FILE.name
    content = json.loads(declared.read_text())
    content["api"]["access"]["read"].append("GET /later")
    declared.write_text(json.dumps(content))
    assert wait_until(lambda: status() == 200, seconds=120)


def test_a_change_of_the_library_reaches_every_service(reloading: RunningUp, copied: Path) -> None:
    before = reloading.children()
    errors = copied / "shared" / "errors.py"
    errors.write_text(errors.read_text() + "\n# saved\n")
    assert wait_until(lambda: not before & reloading.children(), seconds=120)
    answer = httpx.get(f"{reloading.url}/api/test", headers=reloading.headers, timeout=35)
    assert answer.json()["healthy"] is True
