"""`from shared import X` works for every public name and loads only what X needs."""

import ast
import importlib
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import shared

_PACKAGE = Path(inspect.getfile(shared)).parent
_MODULES = [
    *("api_client", "app", "errors", "health", "aws_lambda.entry", "logging", "middleware"),
    *("aws.api_keys", "aws.clients", "models", "settings", "tracing"),
]
_module_of: dict[str, str] = vars(shared)["_MODULE_OF"]
# Names that other modules import from their submodule, but that `shared` does not export.
_NOT_EXPORTED = {
    "errors": {
        *("ErrorMiddleware", "describe_problems", "error_response", "http_error"),
        "install_error_handlers",
    },
    "logging": {"timestamp", "write"},
    "models": {"GatewayError", "error_responses"},
    "settings": {"KeyScopes"},
    "tracing": {"flush", "is_configured", "owns_provider", "release_app", "shutdown", "span"},
    "aws_lambda.entry": {"LambdaHandler"},
}
_HEAVY = ["boto3", "botocore", "grpc", "opentelemetry", "fastapi", "starlette", "httpx", "mangum"]


def _defined(module: ModuleType) -> set[str]:
    """Return the public classes and functions of a module, or of a package's own modules."""
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isclass(value) or inspect.isroutine(value))
        and f"{value.__module__}.".startswith(f"{module.__name__}.")
    }


def _imported_by(code: str) -> list[str]:
    """Return the heavy packages that a new process has loaded after running some code."""
    report = f"import sys, json; print(json.dumps([m for m in {_HEAVY!r} if m in sys.modules]))"
    ended = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"],
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return list(json.loads(ended.stdout))


def test_all_is_sorted_and_lists_what_the_modules_define() -> None:
    assert shared.__all__ == sorted(shared.__all__)
    defined = {
        name
        for module in _MODULES
        for name in _defined(importlib.import_module(f"shared.{module}"))
        - _NOT_EXPORTED.get(module, set())
    }
    assert set(shared.__all__) == defined


@pytest.mark.parametrize("name", shared.__all__)
def test_every_name_is_the_object_of_its_module(name: str) -> None:
    value = getattr(shared, name)
    assert value is getattr(importlib.import_module(f"shared.{_module_of[name]}"), name)
    assert value.__doc__, "a public name has a docstring"


def test_type_checkers_see_the_names_that_exist_at_run_time() -> None:
    tree = ast.parse((_PACKAGE / "__init__.py").read_text())
    (branch,) = [node for node in tree.body if isinstance(node, ast.If)]
    typed = {
        alias.name: str(node.module).removeprefix("shared.")
        for node in branch.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert typed == _module_of
    assert set(typed) == set(shared.__all__)


def test_an_unknown_name_raises_and_dir_lists_the_public_names() -> None:
    with pytest.raises(AttributeError, match="module 'shared' has no attribute 'nonsense'"):
        _ = shared.nonsense  # type: ignore[attr-defined]
    assert set(shared.__all__) <= set(dir(shared))


@pytest.mark.parametrize(
    "code",
    [
        "import shared",
        "from shared import FullServiceSettings",
        "from shared import configure_logging, get_logger",
        "from shared.tracing import configure_tracing, get_tracer",
        "from shared.logging import configure_logging, get_logger\n"
        "import io; configure_logging(stream=io.BytesIO()); get_logger().info('x')",
    ],
)
def test_light_names_load_nothing_heavy(code: str) -> None:
    assert _imported_by(code) == []


def test_importing_the_client_loads_httpx_and_no_sdk_of_aws() -> None:
    # OpenTelemetry's API is loaded: FastAPI imports it.
    loaded = _imported_by("from shared import ServiceAPIClient, SecretsManagerKeys")
    assert "httpx" in loaded, "the first call must not wait for this import"
    assert not {"boto3", "botocore", "grpc"} & set(loaded)


def test_a_call_of_aws_does_not_load_boto3() -> None:
    code = "from shared import aws_client; aws_client('secretsmanager', region='us-east-1')"
    loaded = _imported_by(code)
    assert "botocore" in loaded
    assert "boto3" not in loaded


def test_the_start_of_a_function_loads_no_sdk_of_aws_grpc_or_tracing_sdk() -> None:
    code = """
from shared.app import create_service_app
from shared.aws_lambda.entry import lambda_handler
from shared.api_client import ServiceAPIClient
from shared.settings import FullServiceSettings
settings = FullServiceSettings(
    project_name="p", environment="dev", service_name="api", api_gateway_url="http://x/dev"
)
app = create_service_app(settings, title="T", description="D")
ServiceAPIClient(settings=settings)
lambda_handler(app, settings)
import sys
for name in ("opentelemetry.sdk", "opentelemetry.exporter", "opentelemetry.instrumentation",
             "numpy", "requests"):
    assert name not in sys.modules, name
"""
    assert not {"boto3", "botocore", "grpc"} & set(_imported_by(code))
