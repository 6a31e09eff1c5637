"""The entry: `./pants run backend/local:up -- …`, or `python -m local.up …` with `backend` on the
path.
"""

import asyncio
import contextlib
import logging
import os
import shlex
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from local.options import Options, parse
from local.preflight import problems

if TYPE_CHECKING:
    # What is spawned by name: the build takes its dependencies from these lines.
    import awslambdaric  # type: ignore[import-untyped]  # noqa: F401
    import moto  # noqa: F401
    from rich.console import Console

    import api.handler  # noqa: F401
    import chat.handler  # noqa: F401
    import local.compute.child  # noqa: F401
    import runner.server  # noqa: F401
    import s3vector.handler  # noqa: F401
    from local.estate import Report, RunningEstate

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(arguments: list[str]) -> int:
    """Run the estate until it is told to stop: 0 when it stopped in order, 1 on a failure."""
    began = time.monotonic()
    options = parse(arguments)
    found = problems(options)
    for problem in found:
        print(f"cannot start: {problem}", file=sys.stderr)
    if found:
        return 1
    from rich.console import Console

    console = Console(soft_wrap=True)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    if options.env_file is not None:  # whoever waits for it waits for this run's
        options.env_file.unlink(missing_ok=True)
    with contextlib.ExitStack() as stack:
        run_dir = options.run_dir or Path(tempfile.mkdtemp(prefix="fin-advisor-"))
        status = asyncio.run(_run(options, run_dir, console, began))
        if options.run_dir is None:
            stack.callback(_clean, run_dir, keep_logs=status != 0, console=console)
        elif options.terraform:
            stack.callback(_forget_state, run_dir)
    return status


async def _run(options: Options, run_dir: Path, console: "Console", began: float) -> int:
    from local.estate import StartError
    from local.terraform.program import TerraformFailedError
    from local.terraform.readback import UnservableError

    def report(text: str) -> None:
        console.print(f"{time.monotonic() - began:6.1f} s  {text}", highlight=False, markup=False)

    told_to_stop = _told_to_stop()
    try:
        starting = asyncio.create_task(_start(options, run_dir, report))
        if await _either(starting, told_to_stop) is told_to_stop:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            return 0
        estate = await starting
    except (StartError, TerraformFailedError, UnservableError, OSError) as error:
        for line in str(error).splitlines():
            console.print(f"cannot start: {line}", style="red", markup=False, highlight=False)
        return 1
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_exit(estate)
        _announce(estate.variables(), options, time.monotonic() - began, console)
        failing = asyncio.create_task(estate.failure())
        working = asyncio.create_task(_work(estate, options, console))
        done = await _either(told_to_stop, failing, working)
        for task in (failing, working):
            task.cancel()
        if done is failing:
            console.print(failing.result(), style="red", markup=False, highlight=False)
            return 1
        return working.result() if done is working else 0


async def _start(options: Options, run_dir: Path, report: "Report") -> "RunningEstate":
    """The estate, running; whoever calls stops it."""
    from local.estate import RunningEstate, new_blueprint

    if not options.terraform:
        return await RunningEstate(new_blueprint(), options, run_dir, report).__aenter__()
    from local.aws.terraform_aws import TerraformAws
    from local.terraform.provisioning import provision

    aws = TerraformAws()
    try:
        blueprint = await provision(aws, options, run_dir, report)
        return await RunningEstate(blueprint, options, run_dir, report, aws).__aenter__()
    except BaseException:
        aws.stop()
        raise


async def _work(estate: "RunningEstate", options: Options, console: "Console") -> int:
    if not options.demo:
        await asyncio.Event().wait()
    from local.demo.demo import DemoFailedError, demonstrate

    try:
        traces = estate.traces if estate.endpoints.otlp else None
        await demonstrate(estate.endpoints.api, estate.api_key, estate.hops, console, traces)
    except DemoFailedError as error:
        console.print(f"the demonstration failed: {error}", style="red", markup=False)
        return 1
    return 0


def _told_to_stop() -> asyncio.Task[bool]:
    event = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, event.set)
    return asyncio.create_task(event.wait())


async def _either[T](*tasks: "asyncio.Task[T]") -> "asyncio.Task[T]":
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    return next(task for task in tasks if task in done)


def _announce(
    variables: Mapping[str, str], options: Options, seconds: float, console: "Console"
) -> None:
    if options.env_file is not None:
        write_env_file(options.env_file, variables)
    shown = ("API_GATEWAY_URL", "API_KEY", "AWS_ENDPOINT_URL", "CONSOLE_URL", "LOG_DIR")
    console.print(f"[bold green]Ready in {seconds:.1f} s[/bold green]")
    for name in shown:
        console.print(f"  {name}={variables[name]}", highlight=False, markup=False)
    if not options.demo:
        console.print("Ctrl-C stops it. Try:", highlight=False)
        url, key = variables["API_GATEWAY_URL"], variables["API_KEY"]
        console.print(f'  curl -H "x-api-key: {key}" {url}/api/test', highlight=False, markup=False)


def write_env_file(path: Path, variables: Mapping[str, str]) -> None:
    """Write what a shell can `source`, all at once: nobody reads half a file."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    lines = (f"{name}={shlex.quote(value)}\n" for name, value in variables.items())
    draft.write_text("".join(lines))
    draft.replace(path)


def _clean(run_dir: Path, *, keep_logs: bool, console: "Console") -> None:
    from local.compute.packages import remove_tree

    if keep_logs:
        console.print(f"the services' logs are in {run_dir / 'logs'}", highlight=False)
        remove_tree(run_dir / "var")
    else:
        remove_tree(run_dir)


def _forget_state(run_dir: Path) -> None:
    from local.compute.packages import remove_tree

    remove_tree(run_dir / "var" / "terraform")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
