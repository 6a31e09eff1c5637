"""A package under test can import and reach only what it can on Lambda."""

import os
import sys
import sysconfig
from pathlib import Path

import pytest

from local.net.sockets import bind
from local.tests.zips.zip_functions import PROBE_HANDLER, Surroundings, ZipFunction, zip_function

pytestmark = pytest.mark.anyio


async def test_sees_the_package_the_runtime_client_and_the_standard_library_only(
    surroundings: Surroundings, probe: ZipFunction
) -> None:
    seen = (await probe.request("GET", "/probe/surroundings")).json()
    assert seen["executable"] == os.path.realpath(sys.executable)
    task, runtime = probe.task, surroundings.folder / "runtime"
    beside = Path(__file__).with_name("beside").absolute()
    child = Path(__file__).parents[2] / "compute" / "child.py"
    clients = {str(path.resolve()) for path in runtime.iterdir()}
    standard = str(Path(sysconfig.get_paths()["stdlib"]).resolve())
    ours = (str(task), str(beside), str(child.absolute()), *clients, standard)
    assert [file for file in seen["files"] if not file.startswith(ours)] == []
    assert [file for file in seen["files"] if "site-packages" in file.removeprefix(str(task))] == [
        file for file in seen["files"] if file.startswith(tuple(clients))
    ]
    assert any(file.startswith(f"{task}/botocore/") for file in seen["files"])


async def test_the_guard_refuses_every_way_out(surroundings: Surroundings, tmp_path: Path) -> None:
    elsewhere = bind()
    port = elsewhere.getsockname()[1]
    try:
        async with zip_function(surroundings, "api", tmp_path, PROBE_HANDLER) as probe:
            addresses = [["127.0.0.1", surroundings.port], ["127.0.0.1", port], ["192.0.2.1", 443]]
            answer = await probe.request("POST", "/probe/escape", json=addresses)
    finally:
        elsewhere.close()
    outcomes = answer.json()
    assert outcomes.pop(f"127.0.0.1:{surroundings.port}") == "done"
    assert {
        name for name, outcome in outcomes.items() if "the guard refuses" not in outcome
    } == set()
    assert {f"127.0.0.1:{port}", "192.0.2.1:443", "name", "new file"} < outcomes.keys()
    assert len(probe.refusals()) == len(outcomes)
