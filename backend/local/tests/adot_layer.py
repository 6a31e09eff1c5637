"""An emulation of AWS's ADOT layer for Python: its packages and its programs.

The packages have a resolve of their own (3rdparty/python/layer); Pants puts them into the working
folder.
"""

import os
import re
import shlex
import sys
from pathlib import Path

from local.compute.processes import BACKEND

PYTHON = os.path.realpath(sys.executable)  # without a virtual environment, as on Lambda

_LAYER = Path("layer").absolute()
# The layer's module `otel_wrapper`.
_OTEL_WRAPPER = """
import importlib, os
from opentelemetry.instrumentation.aws_lambda import AwsLambdaInstrumentor

AwsLambdaInstrumentor().instrument()
module, _, name = os.environ["ORIG_HANDLER"].rpartition(".")
lambda_handler = getattr(importlib.import_module(module), name)
"""
WRAPPED_HANDLER = "otel_wrapper.lambda_handler"


def folders(folder: Path) -> list[Path]:
    """The folders that the layer puts on the path. Its own module is written to `folder`."""
    (folder / "otel_wrapper.py").write_text(_OTEL_WRAPPER)
    return [folder, *sorted(_LAYER.glob(".deps/*"))]  # Pants has one for each distribution


def instrument() -> Path:
    """The program that the layer's `otel-instrument` runs."""
    [found] = _LAYER.glob(".deps/opentelemetry_instrumentation-*/**/bin/opentelemetry-instrument")
    return found


def unpack(folder: Path) -> Path:
    """Fill `folder` with the contents of the layer's archive."""
    (folder / "python").mkdir(parents=True)
    path = os.pathsep.join(map(str, folders(folder / "python")))
    program = folder / "otel-instrument"
    program.write_text(f"""#!/bin/bash
export PYTHONPATH={shlex.quote(path)}:"$PYTHONPATH"
export OTEL_TRACES_EXPORTER="${{OTEL_TRACES_EXPORTER:-otlp}}"
export OTEL_SERVICE_NAME="${{OTEL_SERVICE_NAME:-$AWS_LAMBDA_FUNCTION_NAME}}"
export ORIG_HANDLER="$_HANDLER" _HANDLER={WRAPPED_HANDLER}
exec {shlex.quote(PYTHON)} {shlex.quote(str(instrument()))} "$@"
""")
    program.chmod(0o755)
    return folder


def terraforms_variables() -> dict[str, str]:
    """The OpenTelemetry variables that Terraform gives a function in this mode."""
    text = (BACKEND.parent / "terraform" / "locals.tf").read_text()
    [block] = re.findall(r"^    auto = \{$(.*?)^    \}$", text, re.MULTILINE | re.DOTALL)
    return dict(re.findall(r'^ +(OTEL_\w+) += "(.*)"$', block, re.MULTILINE))
