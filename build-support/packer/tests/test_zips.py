"""Runs the packaged zips on a Python that sees nothing else."""

import ast
import base64
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfWriter

from services.declared import SERVICES

OURS = {"services", "shared", *SERVICES}
# Only the runner's image contains these exporters. A function whose endpoint needs one logs that.
LEFT_OUT = {"opentelemetry.exporter.otlp.proto.grpc"}
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "API_GATEWAY_URL": "http://127.0.0.1:1/dev",
    "CHAT_MODEL_ID": "us.anthropic.claude",
    "CONVERSATIONS_TABLE": "conversations",
    "ENVIRONMENT": "dev",
    "JOBS_BUCKET_NAME": "jobs",
    "PEER_SERVICES": "chat",
    "PROJECT_NAME": "fin-advisor",
    "RECORDS_BUCKET": "records",
    "RECORD_KEYS_TABLE": "record-keys",
    "SERVICE_PATHS": "{}",
    "TERRAFORM_API_KEY_IDS": "{}",
    "USAGE_PLAN_IDS": "{}",
    "VECTOR_BUCKET_NAME": "vectors",
}


@pytest.fixture(scope="module", params=SERVICES)
def service(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def package(service: str) -> Iterator[zipfile.ZipFile]:
    with zipfile.ZipFile(f"{service}.zip") as opened:
        yield opened


@pytest.fixture(scope="module")
def task(package: zipfile.ZipFile, service: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked package, as on Lambda."""
    folder = tmp_path_factory.mktemp(service)
    package.extractall(folder)
    return folder


def run(task: Path, service: str, program: str, *arguments: str) -> str:
    """Run a program with the package and the standard library, and return what it printed."""
    # realpath: the base interpreter. The tests' own also sees site-packages and all sources.
    answer = subprocess.run(
        [
            os.path.realpath(sys.executable),
            "-I",
            "-S",
            "-B",
            "-c",
            f"import sys; sys.path.insert(0, sys.argv.pop(1))\n{program}",
            str(task),
            *arguments,
        ],
        env={**ENVIRONMENT, "SERVICE_NAME": service},
        cwd=task,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def test_chat_can_encrypt_with_what_is_left_of_pycryptodome(task: Path, service: str) -> None:
    if service != "chat":
        return
    run(
        task,
        service,
        "from chat.recording.cipher import decrypt, encrypt\n"
        "assert decrypt(bytes(32), encrypt(bytes(32), b'text', 'place'), 'place') == b'text'",
    )


def imported_modules(source: str) -> Iterator[str]:
    """Yield all imports of a module, except those under `TYPE_CHECKING`."""
    pending: list[ast.AST] = [ast.parse(source)]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            pending.extend(node.orelse)
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        pending.extend(ast.iter_child_nodes(node))


def test_handler_loads_from_the_package_alone(task: Path, service: str) -> None:
    printed = run(task, service, "import lambda_function as f; print(callable(f.handler))")
    assert printed.splitlines()[-1] == "True"


def test_everything_that_our_code_imports_is_there(
    package: zipfile.ZipFile, task: Path, service: str
) -> None:
    """Imports inside functions count: if their module were missing, only production would fail."""
    modules = {
        module
        for name in package.namelist()
        if name.endswith(".py") and name.split("/")[0] in OURS
        for module in imported_modules(package.read(name).decode())
    }
    program = "import importlib; [importlib.import_module(name) for name in sys.argv[1:]]"
    run(task, service, program, *sorted(modules - LEFT_OUT))


def test_every_packed_aws_service_gets_a_client(
    package: zipfile.ZipFile, task: Path, service: str
) -> None:
    names = sorted(
        {
            name.split("/")[2]
            for name in package.namelist()
            if name.startswith("botocore/data/") and name.count("/") > 2
        }
    )
    assert names
    program = (
        "from botocore.session import Session; session = Session(); "
        "[session.create_client(name) for name in sys.argv[1:]]"
    )
    run(task, service, program, *names)


def test_modules_are_loaded_from_unchecked_bytecode(task: Path, service: str) -> None:
    """Python does not compare the bytecode with the source, which makes a cold start faster."""
    program = "import json; import lambda_function; print(json.dumps([m.__cached__ for m in \
sys.modules.values() if getattr(m, '__file__', None) and m.__file__.startswith(sys.path[0]) \
and m.__file__.endswith('.py')]))"
    cached = json.loads(run(task, service, program).splitlines()[-1])
    assert cached
    for path in cached:
        # Flags of PEP 552: hash-based, and not checked against the source.
        assert Path(path).read_bytes()[4:8] == b"\x01\x00\x00\x00", path


def test_contains_no_tests_no_stubs_and_no_other_service(
    package: zipfile.ZipFile, service: str
) -> None:
    names = package.namelist()
    assert not [n for n in names if "/tests/" in n or n.endswith((".pyi", "conftest.py"))]
    unneeded = ("boto3/", "boto3_stubs", "grpc/", "moto/", "mypy_boto3", "s3transfer/")
    assert not [n for n in names if n.startswith(unneeded)]
    assert {n.split("/")[0] for n in names} & (OURS | {"local"}) == {service, "shared"}


@pytest.mark.parametrize("service", ["runner"], indirect=True)
def test_reads_a_pdf_that_is_encrypted_and_has_no_password(task: Path, service: str) -> None:
    """Many forms are such PDFs."""
    writer, file = PdfWriter(), BytesIO()
    writer.add_blank_page(72, 72)
    writer.encrypt("", algorithm="AES-256")
    writer.write(file)
    content = base64.b64encode(file.getvalue()).decode()
    program = f"""
from base64 import b64decode
from runner.pdf import PdfText
print(len(PdfText(b64decode("{content}"))))
"""
    assert run(task, service, program).split() == ["1"]


@pytest.mark.parametrize("service", ["api", "chat"], indirect=True)
def test_is_small(package: zipfile.ZipFile, service: str) -> None:
    entries = package.infolist()
    assert sum(entry.file_size for entry in entries) <= 40e6
    assert Path(f"{service}.zip").stat().st_size <= 12e6
