"""Runs the terraform program on a copy of a layer, reports its progress and stops it."""

import asyncio
import contextlib
import json
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import IO, Any

from local.terraform.layer_copy import LayerCopy, variable_options

_STOP_SECONDS = 5.0
_LONGEST_LINE_BYTES = 8 * 1024 * 1024

type Progress = Callable[[int, int], None]
"""Called with the number of created resources and the total."""


class TerraformFailedError(Exception):
    """Terraform failed. The message has one line for each error that it reported."""


class Layer(LayerCopy):
    """A copy for the AWS at `endpoint_url`. Terraform's output is appended to `log`."""

    def __init__(self, name: str, folder: Path, *, endpoint_url: str, log: IO[bytes]) -> None:
        super().__init__(name, folder, endpoint_url=endpoint_url)
        self._log = log

    async def init(self) -> None:
        """Run `terraform init`. Raises TerraformFailedError if it fails."""
        lines = [line async for line in self._run("init", "-no-color", "-lockfile=readonly")]
        *output, status = lines
        if status != "0":
            raise TerraformFailedError(f"{self.name}/: terraform init failed: {_reason(output)}")

    async def apply(
        self, *options: str, variables: Mapping[str, Any], progress: Progress | None = None
    ) -> None:
        """Run `terraform apply`. Raises TerraformFailedError if it fails."""
        created, total, errors, status = 0, 0, [], ""
        arguments = ("-auto-approve", "-json", "-parallelism=20", *options)
        async for line in self._run("apply", *arguments, *variable_options(variables)):
            event = _event(line)
            match event.get("type"):
                case "change_summary" if event["changes"]["operation"] == "plan":
                    total = event["changes"]["add"]
                case "apply_complete" if event["hook"]["action"] == "create":
                    created += 1
                    if progress is not None:
                        progress(created, total)
                case "diagnostic" if event["diagnostic"]["severity"] == "error":
                    errors.append(f"{self.name}/: {_summary(event['diagnostic'])}")
                case _:
                    status = line
        if status != "0":
            errors = errors or [f"{self.name}/: terraform apply ended with exit status {status}"]
            raise TerraformFailedError("\n".join(errors))

    async def _run(self, *arguments: str) -> AsyncIterator[str]:
        """The lines that `terraform ARGUMENTS` prints; the last item is its exit status."""
        process = await asyncio.create_subprocess_exec(
            "terraform",
            *arguments,
            cwd=self.folder,
            env=self.environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=_LONGEST_LINE_BYTES,
        )
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        try:
            async for line in process.stdout:
                self._log.write(line)
                yield line.decode(errors="replace").rstrip()
            yield str(await process.wait())
        finally:
            await _stop(process)


async def _stop(process: asyncio.subprocess.Process) -> None:
    # The first interrupt stops terraform after the operations in progress, the second at once.
    for number in (signal.SIGINT, signal.SIGINT, signal.SIGKILL):
        if process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _STOP_SECONDS)


def _event(line: str) -> dict[str, Any]:
    with contextlib.suppress(ValueError):
        event = json.loads(line)
        if isinstance(event, dict):
            return event
    return {}


def _summary(diagnostic: Mapping[str, Any]) -> str:
    parts = (diagnostic.get(name, "") for name in ("address", "summary", "detail"))
    return ": ".join(" ".join(str(part).split()) for part in parts if part)


def _reason(output: list[str]) -> str:
    """The output from its first error on, in one line."""
    text = "\n".join(output)
    return " ".join(text[max(text.find("Error:"), 0) :].replace("│", " ").split())
