"""Ruff in `lint`, `fix` and `fmt`: Pants 2.17's own backend uses options that Ruff has removed.

Runs inside Pants on Python 3.9, so this file is exempt from the repository's Ruff rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from pants.backend.python.lint.ruff import skip_field, subsystem
from pants.backend.python.lint.ruff.subsystem import Ruff, RuffFieldSet
from pants.backend.python.util_rules import pex
from pants.backend.python.util_rules.pex import PexRequest, VenvPex, VenvPexProcess
from pants.core.goals.fix import FixResult, FixTargetsRequest
from pants.core.goals.fmt import FmtResult, FmtTargetsRequest
from pants.core.goals.lint import LintResult, LintTargetsRequest
from pants.core.util_rules.config_files import ConfigFiles, ConfigFilesRequest
from pants.core.util_rules.partitions import PartitionerType
from pants.core.util_rules.source_files import SourceFiles, SourceFilesRequest
from pants.engine.fs import Digest, MergeDigests, PathGlobs, Paths
from pants.engine.internals.native_engine import Snapshot
from pants.engine.process import FallibleProcessResult, ProcessExecutionFailure
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.option.global_options import KeepSandboxes
from pants.util.meta import classproperty


# Ruff looks for imported files under `src` of pyproject.toml to know which packages are ours. A sandbox
# holds some of the files only, so their names are given to it.
PACKAGES = PathGlobs(
    ["backend/*/BUILD", "build-support/*/BUILD", "build-support/packer/*.py", "terraform/*/BUILD"]
)


def first_party(paths: Paths) -> str:
    """Ruff's setting that names the packages and modules at these paths."""
    names = {PurePath(path).parent.name for path in paths.files if path.endswith("BUILD")}
    names |= {PurePath(path).stem for path in paths.files if path.endswith(".py")}
    return f"lint.isort.known-first-party = {sorted(names)}"


class RuffLintRequest(LintTargetsRequest):
    field_set_type = RuffFieldSet
    tool_subsystem = Ruff
    partitioner_type = PartitionerType.DEFAULT_SINGLE_PARTITION


class RuffFixRequest(FixTargetsRequest):
    field_set_type = RuffFieldSet
    tool_subsystem = Ruff
    partitioner_type = PartitionerType.DEFAULT_SINGLE_PARTITION

    @classproperty
    def tool_name(cls) -> str:
        return "ruff check --fix"


class RuffFormatRequest(FmtTargetsRequest):
    field_set_type = RuffFieldSet
    tool_subsystem = Ruff
    partitioner_type = PartitionerType.DEFAULT_SINGLE_PARTITION

    @classproperty
    def tool_name(cls) -> str:
        return "ruff format"


@dataclass(frozen=True)
class RuffRun:
    command: tuple[str, ...]
    snapshot: Snapshot


@rule
async def run_ruff(request: RuffRun, ruff: Ruff) -> FallibleProcessResult:
    venv, config, packages = await MultiGet(
        Get(VenvPex, PexRequest, ruff.to_pex_request()),
        Get(ConfigFiles, ConfigFilesRequest, ruff.config_request(request.snapshot.dirs)),
        Get(Paths, PathGlobs, PACKAGES),
    )
    digests = (request.snapshot.digest, config.snapshot.digest)
    description = f"Run ruff {' '.join(request.command)} on {len(request.snapshot.files)} files."
    result = await Get(
        FallibleProcessResult,
        VenvPexProcess(
            venv,
            argv=(
                *request.command,
                "--no-cache",
                "--config",
                first_party(packages),
                *ruff.args,
                *request.snapshot.files,
            ),
            input_digest=await Get(Digest, MergeDigests(digests)),
            output_files=request.snapshot.files,
            description=description,
        ),
    )
    # 1 means findings. Any other code means that Ruff failed, which `fix` would report as success.
    if result.exit_code not in (0, 1):
        raise ProcessExecutionFailure(
            result.exit_code,
            result.stdout,
            result.stderr,
            description,
            keep_sandboxes=KeepSandboxes.never,
        )
    return result


@rule(desc="Lint with ruff")
async def ruff_lint(request: RuffLintRequest.Batch[RuffFieldSet, Any]) -> LintResult:
    sources = await Get(
        SourceFiles, SourceFilesRequest(field_set.source for field_set in request.elements)
    )
    result = await Get(FallibleProcessResult, RuffRun(("check",), sources.snapshot))
    return LintResult.create(request, result)


@rule(desc="Fix with ruff")
async def ruff_fix(request: RuffFixRequest.Batch) -> FixResult:
    result = await Get(FallibleProcessResult, RuffRun(("check", "--fix"), request.snapshot))
    return await FixResult.create(request, result)


@rule(desc="Format with ruff")
async def ruff_format(request: RuffFormatRequest.Batch) -> FmtResult:
    result = await Get(FallibleProcessResult, RuffRun(("format",), request.snapshot))
    return await FmtResult.create(request, result)


def rules():
    return [
        *collect_rules(),
        *subsystem.rules(),
        *skip_field.rules(),
        *pex.rules(),
        *RuffLintRequest.rules(),
        *RuffFixRequest.rules(),
        *RuffFormatRequest.rules(),
    ]
