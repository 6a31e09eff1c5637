"""Packaged services: unpacked read-only and run as on Lambda."""

import json
import zipfile
from pathlib import Path

import pytest

from local.blueprint import LAMBDA_SERVICES, Function
from local.compute.environments import Environment
from local.compute.functions import FunctionPool
from local.compute.logs import LogFolder
from local.compute.packages import packaged_programs, remove_tree

HANDLER = """
import importlib.util, json, os, sys

def handler(event, context):
    return {
        "event": event,
        "root": os.environ["LAMBDA_TASK_ROOT"],
        "cwd": os.getcwd(),
        "sees": [n for n in ("local", "moto", "httpx") if importlib.util.find_spec(n)],
        "mode": os.stat(__file__).st_mode & 0o777,
    }
"""


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    folder.mkdir()
    for service in LAMBDA_SERVICES:
        with zipfile.ZipFile(folder / f"{service}.zip", "w") as archive:
            archive.writestr("lambda_function.py", HANDLER)
    return folder


@pytest.mark.anyio
async def test_a_zip_is_run_from_a_read_only_folder_and_sees_only_itself(
    dist: Path, tmp_path: Path
) -> None:
    program = packaged_programs(dist, tmp_path / "run")["chat"]
    logs = LogFolder(tmp_path / "logs")

    def make(function: Function, generation: int) -> Environment:
        return Environment(function, program, {}, logs["chat"], generation=generation)

    pool = FunctionPool(Function("f", "chat", program.arguments[0], {}), make)
    try:
        result = await pool.invoke(b'{"a": 1}', trace_id="Root=1-x")
    finally:
        await pool.stop()
        logs.close()
    seen = json.loads(result.payload)
    task = str(tmp_path / "run" / "var" / "task" / "chat")
    assert seen == {"event": {"a": 1}, "root": task, "cwd": task, "sees": [], "mode": 0o444}


def test_a_runner_pex_is_run_where_there_is_one(dist: Path, tmp_path: Path) -> None:
    assert "runner" not in packaged_programs(dist, tmp_path / "one")
    (dist / "runner.pex").touch()
    program = packaged_programs(dist, tmp_path / "two")["runner"]
    assert program.module == str(dist / "runner.pex")


def test_what_was_unpacked_can_be_removed(dist: Path, tmp_path: Path) -> None:
    packaged_programs(dist, tmp_path / "run")
    remove_tree(tmp_path / "run")
    assert not (tmp_path / "run").exists()
