"""Plans a layer with many sets of variables against a mocked provider, in one process.

`terraform test -verbose -json` prints each plan when its run ends. Each set of variables becomes a
run of a generated suite.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.declared import SERVICES
from tests.harness import Layer, TerraformError
from tests.planned_values import Values, resources_of
from tests.variants import variables

_SUITE: Final = "planned.tftest.hcl"


@dataclass(frozen=True)
class Planned:
    """One plan: the values of each resource and output by its address."""

    variant: str
    resources: Mapping[str, Values]


def mocked_layer(name: str, folder: Path, repository: Path | None = None) -> Layer:
    """Return an initialised copy of a layer with empty packages and no AWS."""
    layer = Layer(name, folder / name, endpoint_url=None, repository=repository)
    packages = layer.folder / "tests" / "packages"
    packages.mkdir(exist_ok=True)
    for service in SERVICES:
        (packages / f"{service}.zip").touch()
    layer.run("init", "-backend=false", "-no-color", "-lockfile=readonly")
    return layer


def plans(layer: Layer, names: Sequence[str]) -> Iterator[Planned]:
    """Yield the plan of each variant as soon as Terraform prints it.

    Raises:
        TerraformError: A plan failed. The message contains Terraform's diagnostics.
    """
    suite = layer.folder / "tests" / _SUITE
    suite.write_text(_mocks(layer) + "".join(_run(layer, name) for name in names))
    process = subprocess.Popen(
        ["terraform", "test", "-json", "-verbose", f"-filter=tests/{_SUITE}"],  # noqa: S607
        cwd=layer.folder,
        env=layer.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    errors: list[str] = []
    try:
        for line in process.stdout or ():
            message = json.loads(line)
            if message["type"] == "test_plan":
                yield Planned(message["@testrun"], resources_of(message["test_plan"]))
            elif message["type"] == "diagnostic" and message["@level"] == "error":
                found = message["diagnostic"]
                errors.append(f"{found['summary']}: {found['detail']}")
    finally:
        # A caller may have seen enough. Then Terraform waits for a reader, and SIGTERM with it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        suite.unlink()
    if errors:
        raise TerraformError("\n".join(errors))


# --- The generated suite --------------------------------------------------------------------------


def _run(layer: Layer, name: str) -> str:
    text = variables(layer.name, layer.folder, name)
    return f'run "{name}" {{\n  command = plan\n  variables {{\n{text}\n  }}\n}}\n'


def _mocks(layer: Layer) -> str:
    """Return the mocked provider, and values for each resource that name it.

    The suites' mocks give all resources of a type the same ARN. Here each has its own, so that a
    plan shows which one another resource refers to.
    """
    texts = {path: path.read_text() for path in layer.folder.glob("tests/**/*.hcl")}
    mocks = next(text for path, text in sorted(texts.items()) if "mock_resource" in text)
    provider = re.search(r'^mock_provider "aws" {\n.*?^}', mocks, re.DOTALL | re.MULTILINE)
    lines = [provider[0] if provider else _MOCK_PROVIDER]
    defaults = {
        (kind, type_): _DEFAULT.findall(body)
        for kind, type_, body in re.findall(
            r'mock_(resource|data) "(\w+)" {\s+defaults = {(.*?)}\s+}', mocks, re.DOTALL
        )
    }
    for address, kind, type_ in _written_resources(layer.folder):
        # A type without a value here would have none in the plan at all.
        name = address.replace("[0]", "").removeprefix("data.")
        body = "".join(
            f'    {key} = "{value.replace("mocked", name).replace("us-east-1", "xx-mock-1")}"\n'
            for key, value in _ALSO_MOCKED.get(type_, defaults.get((kind, type_), ()))
        )
        lines.append(
            f"override_{kind} {{\n  target          = {address}\n  override_during = plan\n"
            f"  values = {{\n{body}  }}\n}}"
        )
    return "\n".join(lines) + "\n"


_MOCK_PROVIDER: Final = """\
mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}"""
_ALSO_MOCKED: Final[dict[str, list[tuple[str, str]]]] = {
    # Random, so that a plan shows which instance is meant.
    "aws_api_gateway_usage_plan": [],
    "aws_secretsmanager_secret": [],
    "aws_secretsmanager_random_password": [("random_password", "<mocked>")],
    "aws_iam_openid_connect_provider": [
        ("arn", "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com")
    ],
}
_DEFAULT: Final = re.compile(r'(\w+)\s*= "(.*?)"')


def _written_resources(folder: Path, prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield address, kind (resource or data) and type of each block in a folder's files."""
    for path in sorted(folder.glob("*.tf")):
        text = path.read_text()
        for kind, type_, name in re.findall(
            r'^(resource|data) "(\w+)" "(\w+)" {', text, re.MULTILINE
        ):
            yield f"{prefix}{'data.' if kind == 'data' else ''}{type_}.{name}", kind, type_
        for name, source, count in re.findall(
            r'^module "(\w+)" {\n\s+source\s*= "(\./.*?)"\n(\s+count\b)?', text, re.MULTILINE
        ):
            index = "[0]" if count else ""
            yield from _written_resources(folder / source, f"{prefix}module.{name}{index}.")
