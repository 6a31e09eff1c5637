"""The command: `./pants run backend/local:up -- …`, or `python -m local.up …` with `backend` on the
path.
"""

import asyncio
import logging
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from local.env_file import EnvFile
from local.options import Options, parse
from local.preflight import problems

if TYPE_CHECKING:
    # Child processes import these by name: the build infers its dependencies from these lines.
    import awslambdaric  # type: ignore[import-untyped]  # noqa: F401
    import moto  # noqa: F401
    from rich.console import Console

    import local.compute.child  # noqa: F401
    from local.aws.user_pool import UserPool
    from local.estate import Report, RunningEstate

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PREFLIGHT_FAILED = 2


def main(arguments: list[str]) -> int:
    """Run the estate until a signal stops it.

    Returns the exit status: 0 after an orderly stop, 1 after a failure, 2 where the preflight found
    problems.
    """
    started_at = time.monotonic()
    options, wrong = parse(arguments)
    found = [*wrong, *problems(options)]
    for problem in found:
        print(f"cannot start: {problem}", file=sys.stderr)
    if wrong:
        print("`--help` lists all options", file=sys.stderr)
    if found:
        return _PREFLIGHT_FAILED
    # The preflight has checked that this and what follows can be imported.
    from rich.console import Console

    console = Console(highlight=False)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    if options.env_file is not None:
        EnvFile(options.env_file).remove_stale()
    run_dir = options.run_dir or Path(tempfile.mkdtemp(prefix="fin-advisor-"))
    status = asyncio.run(_run(options, run_dir, console, started_at))
    _clean(run_dir, options, console, failed=status != 0)
    return status


async def _run(options: Options, run_dir: Path, console: "Console", started_at: float) -> int:
    from local.estate import StartError
    from local.terraform.program import TerraformFailedError
    from local.terraform.readback import UnservableError

    def report(text: str) -> None:
        _print_line(console, f"{time.monotonic() - started_at:6.1f} s  {text}")

    stopping = _stop_signal()
    try:
        starting = asyncio.create_task(_start(options, run_dir, report))
        if await _first_done(starting, stopping) is stopping:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            return 0
        estate = await starting
    except (StartError, TerraformFailedError, UnservableError, OSError) as error:
        for line in str(error).splitlines():
            _print_line(console, f"cannot start: {line}", style="red")
        return 1
    async with AsyncExitStack() as stack:
        stack.push_async_exit(estate)
        if options.env_file is not None:
            env_file = EnvFile(options.env_file)
            stack.callback(env_file.remove)
            try:
                env_file.write(estate.variables())
            except OSError as error:
                _print_line(console, f"--env-file: {error}", style="red")
                return 1
        _announce(estate.variables(), options, time.monotonic() - started_at, console)
        if estate.user_pool is not None:
            _announce_users(estate.user_pool, estate.variables(), console)
        working = asyncio.create_task(_work(estate, options, console))
        done = await _first_done(stopping, working)
        working.cancel()
        return working.result() if done is working else 0


async def _start(options: Options, run_dir: Path, report: "Report") -> "RunningEstate":
    """The running estate; the caller stops it."""
    from local.estate import RunningEstate, new_blueprint

    if not options.terraform:
        return await RunningEstate(
            new_blueprint(users=options.users), options, run_dir, report
        ).__aenter__()
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
    """Run the demonstration and return its exit status; without `--demo`, wait for ever."""
    if not options.demo:
        await asyncio.Event().wait()
    from local.demo.demo import DemoFailedError, demonstrate

    try:
        traces = estate.traces if estate.endpoints.otlp else None
        await demonstrate(estate.variables(), estate.hops, console, traces)
    except DemoFailedError as error:
        _print_line(console, f"the demonstration failed: {error}", style="red")
        return 1
    return 0


def _stop_signal() -> asyncio.Task[bool]:
    """A task that ends at the first signal to stop."""
    event = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, event.set)
    return asyncio.create_task(event.wait())


async def _first_done[T](*tasks: "asyncio.Task[T]") -> "asyncio.Task[T]":
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    return next(task for task in tasks if task in done)


def _announce(
    variables: Mapping[str, str], options: Options, seconds: float, console: "Console"
) -> None:
    from local.blueprint import ENV_FILE_KEYS

    console.print(f"[bold green]Ready in {seconds:.1f} s[/bold green]")
    for name in (
        "API_GATEWAY_URL",
        *ENV_FILE_KEYS,
        "AWS_ENDPOINT_URL",
        "CONSOLE_URL",
        "LOG_DIR",
    ):
        _print_line(console, f"  {name}={variables[name]}")
    if not options.demo:
        url, key = variables["API_GATEWAY_URL"], variables["API_KEY"]
        _print_line(console, "Ctrl-C stops it. Try:")
        if not options.users:  # with users, a request needs a token as well
            _print_line(console, f'  curl -H "x-api-key: {key}" {url}/api/test')


def _announce_users(pool: "UserPool", variables: Mapping[str, str], console: "Console") -> None:
    from local.aws.user_pool import CURATOR, USERS

    for user in (*USERS, CURATOR):
        role = ", a curator" if user == CURATOR else ""
        _print_line(console, f"  # the ID token of {user}{role}:")
        _print_line(console, f"  {pool.sign_in(user, variables['AWS_ENDPOINT_URL'])}")
    url, key = variables["API_GATEWAY_URL"], variables["API_KEY"]
    _print_line(console, f'  curl -H "x-api-key: {key}" -H "authorization: $TOKEN" {url}/api/test')


def _print_line(console: "Console", text: str, style: str | None = None) -> None:
    with suppress(OSError):  # the output may be a file on a full disk
        # Not wrapped: URLs and keys are copied from here.
        # Nor changed: an ARN has `:secret:`, which is the name of an emoji.
        console.print(text, style=style, markup=False, emoji=False, soft_wrap=True)


def _clean(run_dir: Path, options: Options, console: "Console", *, failed: bool) -> None:
    from local.compute.packages import remove_tree

    if options.run_dir is not None:
        if options.terraform:
            remove_tree(run_dir / "var" / "terraform")  # the state contains API keys
    elif failed:
        _print_line(console, f"the services' logs are in {run_dir / 'logs'}")
        remove_tree(run_dir / "var")
    else:
        remove_tree(run_dir)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
