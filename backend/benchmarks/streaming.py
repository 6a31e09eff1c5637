"""Measures what streaming costs: the time of the first checked unit, and of a cold start.

./pants run backend/benchmarks:streaming -- [RUNS] [--packages dist]

The first figure is the time from the model's output that decides a paragraph until the caller of
`POST /api/ask/stream` has its first unit: through chat, the gateway, api and the gateway again. The
second is the ratio of a cold start under our runtime loop to one under AWS's client.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import httpx

from local.aws.bedrock_api import BedrockApi
from local.aws.server import EmbeddedAws
from local.bedrock.event_stream import streamed
from local.bedrock.runtime import Answer, Bedrock
from local.blueprint import Function
from local.compute.environments import Environment
from local.compute.logs import LogFolder
from local.compute.packages import packaged_program, remove_tree, runtime_folder
from local.compute.processes import BACKEND, STREAM_RUNTIME, Program
from local.demo.documents import QUESTION, documents
from local.env_file import EnvFile

MOST_OVERHEAD_MS: Final = 150.0
MOST_COLD_RATIO: Final = 1.1

_SECOND_PARAGRAPH: Final = "\n\nThe rest of this answer is a second paragraph with no source."
_VARIABLES: Final = {
    "PROJECT_NAME": "fin-advisor",
    "ENVIRONMENT": "dev",
    "SERVICE_NAME": "chat",
    "API_GATEWAY_URL": "http://127.0.0.1:9/dev",
    "CHAT_MODEL_ID": "us.anthropic.claude-sonnet-5-5",
    "CONVERSATIONS_TABLE": "conversations",
}


class _TimedBedrock(Bedrock):
    """Streams two paragraphs, and notes when it has sent the whole text."""

    def __init__(self) -> None:
        super().__init__()
        self.sent_at = 0.0

    def answer(self, path: str, body: bytes) -> Answer:
        answer = super().answer(path, body)
        if answer.stream is None:
            return answer
        blocks = answer.content["output"]["message"]["content"]
        text = next(block for block in blocks if "text" in block)
        text["text"] += _SECOND_PARAGRAPH
        return replace(answer, stream=self._timed(list(streamed(answer.content))))

    def _timed(self, events: list[bytes]) -> Iterator[bytes]:
        yield from events[:-3]
        self.sent_at = time.perf_counter()
        # The first unit must not depend on the end of the answer.
        time.sleep(0.5)
        yield from events[-3:]


def overhead_ms(runs: int, packages: Path | None) -> list[float]:
    """Return the time from the model's text to the caller's first unit, for each question."""
    bedrock = _TimedBedrock()
    aws = EmbeddedAws([BedrockApi(bedrock)])
    aws.serve()
    try:
        with _estate(aws.url, packages) as variables:
            return [_first_unit(variables, bedrock) for _ in range(runs + 1)][1:]
    finally:
        aws.stop()


@contextmanager
def _estate(bedrock_url: str, packages: Path | None) -> Iterator[Mapping[str, str]]:
    with tempfile.TemporaryDirectory() as name:
        env_file = Path(name) / "estate.env"
        command = [sys.executable, "-m", "local.up", "--port", "0", "--env-file", str(env_file)]
        if packages is not None:
            command += ["--packages", str(packages)]
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [*command, "--bedrock", bedrock_url],
            env={**os.environ, "PYTHONPATH": str(BACKEND)},
            stdout=subprocess.DEVNULL,
        )
        try:
            while not env_file.exists():
                if process.poll() is not None:
                    raise SystemExit("the estate did not start")
                time.sleep(0.05)
            variables = EnvFile(env_file).read()
            _store(variables)
            yield variables
        finally:
            process.terminate()
            process.wait()


def _store(variables: Mapping[str, str]) -> None:
    stored = [one for one in documents() if one["id"] == "emergency-fund"]
    url, key = variables["API_GATEWAY_URL"], variables["INGEST_API_KEY"]
    httpx.post(
        f"{url}/api/documents", json={"documents": stored}, headers={"x-api-key": key}, timeout=60
    ).raise_for_status()


def _first_unit(variables: Mapping[str, str], bedrock: _TimedBedrock) -> float:
    url, key = variables["API_GATEWAY_URL"], variables["API_KEY"]
    body, headers = {"question": QUESTION}, {"x-api-key": key}
    with httpx.stream(
        "POST", f"{url}/api/ask/stream", json=body, headers=headers, timeout=60
    ) as response:
        read = b""
        for piece in response.iter_bytes():
            read += piece
            if b"event: unit" in read:
                return (time.perf_counter() - bedrock.sent_at) * 1000
    raise SystemExit(f"no unit came: {read.decode()}")


async def cold_seconds(program: Program, logs: LogFolder) -> float:
    """Return the time in which chat's process starts and asks for its first event."""
    function = Function("chat", "chat", program.arguments[0], _VARIABLES)
    environment = Environment(function, program, {}, logs["chat"])
    began = time.perf_counter()
    await environment.start()
    seconds = time.perf_counter() - began
    await environment.stop()
    return seconds


async def cold_ratio(runs: int, packages: Path | None) -> tuple[float, float]:
    """Return the median start under our loop and under AWS's client, in turns."""
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as name, _program(packages, Path(name)) as program:
        logs = LogFolder(Path(name) / "logs")
        for number in range(runs + 1):
            pair = [
                await cold_seconds(replace(program, module=STREAM_RUNTIME), logs),
                await cold_seconds(program, logs),
            ]
            if number:  # the first pair compiles the modules
                ours.append(pair[0])
                theirs.append(pair[1])
        logs.close()
    return statistics.median(ours), statistics.median(theirs)


@contextmanager
def _program(packages: Path | None, folder: Path) -> Iterator[Program]:
    """Give chat's program under AWS's client, from its sources or from its zip."""
    if packages is None:
        yield Program("awslambdaric", ("chat.handler.handler",))
        return
    task = folder / "task"
    try:
        yield packaged_program(packages / "chat.zip", task, runtime_folder(folder / "runtime"))
    finally:
        remove_tree(task)  # its folders are read-only


def main() -> None:
    """Print both figures, with their targets; exit with 1 if one is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=int, nargs="?", default=7)
    parser.add_argument("--packages", type=Path, help="measure the zips in this folder")
    options = parser.parse_args()
    overhead = statistics.median(overhead_ms(options.runs, options.packages))
    ours, theirs = asyncio.run(cold_ratio(options.runs, options.packages))
    figures = {
        "first_unit_overhead_ms": round(overhead, 1),
        "cold_start_streaming_s": round(ours, 3),
        "cold_start_s": round(theirs, 3),
        "cold_ratio": round(ours / theirs, 3),
    }
    print(json.dumps(figures, indent=2))
    if overhead > MOST_OVERHEAD_MS or ours / theirs > MOST_COLD_RATIO:
        sys.exit(f"over {MOST_OVERHEAD_MS:g} ms, or over {MOST_COLD_RATIO:g} times a cold start")


if __name__ == "__main__":
    main()
