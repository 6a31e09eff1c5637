"""The first answer to a question with every function cold: three cold starts in series."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.series import Comparison, interleave

START_SECONDS: Final = 120.0
_ZIPS: Final = ("api", "chat", "s3vector")


class EstateFailed(Exception):
    """The estate did not come up."""


def measure(root: Path, scratch: Path, rounds: int) -> Iterator[Comparison]:
    """Yield the time to the first answer, our packages beside the stock ones of the same code."""
    stock = scratch / "stock-packages"
    stock.mkdir()
    for name in _ZIPS:
        shutil.copyfile(root / "dist" / "stock" / f"{name}.zip", stock / f"{name}.zip")
    shutil.copyfile(root / "dist" / "runner.pex", stock / "runner.pex")
    (stock / "runner.pex").chmod(0o755)
    yield Comparison(
        "First answer of /api/ask, every function cold",
        "ms",
        "ours",
        interleave(
            {
                "ours": lambda: _first_answer(root, root / "dist"),
                "stock": lambda: _first_answer(root, stock),
            },
            rounds,
        ),
        {"stock": 0.50},
    )


def _first_answer(root: Path, packages: Path) -> float:
    folder = Path(tempfile.mkdtemp())
    env_file = folder / "estate.env"
    process = subprocess.Popen(  # noqa: S603 - our own module
        [
            sys.executable, "-m", "local.up", "--port", "0", "--cold",
            "--packages", str(packages), "--env-file", str(env_file),
        ],
        cwd=root,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        variables = _wait_for(env_file, process)
        request = urllib.request.Request(  # noqa: S310 - our own loopback gateway
            f"{variables['API_GATEWAY_URL']}/api/ask",
            data=json.dumps({"question": "How much should I save?"}).encode(),
            headers={"x-api-key": variables["API_KEY"], "content-type": "application/json"},
        )
        begin = time.perf_counter()
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            answer.read()
        return (time.perf_counter() - begin) * 1000
    finally:
        process.terminate()
        process.communicate(timeout=30)
        shutil.rmtree(folder)


def _wait_for(env_file: Path, process: subprocess.Popen[bytes]) -> dict[str, str]:
    ends = time.monotonic() + START_SECONDS
    while not env_file.exists():
        if process.poll() is not None:
            raise EstateFailed(process.communicate()[1].decode()[-2000:])
        if time.monotonic() > ends:
            raise EstateFailed(f"not ready in {START_SECONDS:g} s")
        time.sleep(0.02)
    words = shlex.split(env_file.read_text())
    return dict(word.split("=", 1) for word in words if word != "export")
