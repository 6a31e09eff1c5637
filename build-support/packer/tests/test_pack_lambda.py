"""The packer keeps what the runtime needs, adds bytecode, and is reproducible."""

import hashlib
import json
import marshal
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import pack_lambda
from pack_lambda import compiled, main, pack

SOURCE = b"def answer() -> int:\n    return 42\n"
STOCK = {
    "lambda_function.py": b"from api.handler import handler\n",
    "api/handler.py": SOURCE,
    "api/tests/test_handler.py": SOURCE,
    "api/prompt.txt": b"Be brief.\n",
    "boto3/data/s3/2006-03-01/resources-1.json": b"{}",
    "boto3/session.py": SOURCE,
    "botocore/cacert.pem": b"certificates",
    "botocore/data/endpoints.json": b"{}",
    "botocore/data/ec2/2016-11-15/service-2.json.gz": b"{}",
    "botocore/data/s3/2006-03-01/service-2.json.gz": b"{}",
    "botocore/data/s3/2006-03-01/examples-1.json": b"{}",
    "certifi/cacert.pem": b"certificates",
    "fastapi-1.0.dist-info/METADATA": b"Name: fastapi\nVersion: 1.0\n\nA long description.\n",
    "fastapi-1.0.dist-info/RECORD": b"fastapi-1.0.dist-info/METADATA,,\ncertifi/cacert.pem,,\n",
    "fastapi-1.0.dist-info/entry_points.txt": b"[x]\n",
    "fastapi-1.0.dist-info/licenses/LICENSE": b"",
    "numpy/_core/include/numpy/arrayobject.h": b"",
    "numpy/conftest.py": SOURCE,
    "numpy/f2py/crackfortran.py": SOURCE,
    "pydantic/main.pyi": SOURCE,
    "pydantic/v1/main.py": SOURCE,
    "pydantic/py.typed": b"",
    "setuptools/__init__.py": SOURCE,
    "setuptools-80.0.dist-info/METADATA": b"Name: setuptools\nVersion: 80.0\n\n",
    "setuptools-80.0.dist-info/RECORD": b"setuptools/__init__.py,,\n",
    "template/old.py": b"print 'Python 2'\n",
}


@pytest.fixture
def stock(tmp_path: Path) -> Path:
    path = tmp_path / "stock.zip"
    with zipfile.ZipFile(path, "w") as package:
        for name, content in STOCK.items():
            package.writestr(name, content)
    return path


def names_in(path: Path) -> set[str]:
    with zipfile.ZipFile(path) as package:
        return set(package.namelist())


def test_keeps_only_what_the_runtime_needs(stock: Path, tmp_path: Path) -> None:
    pack(stock, tmp_path / "out.zip", ["s3"])
    assert {name for name in names_in(tmp_path / "out.zip") if "__pycache__" not in name} == {
        "api/handler.py",
        "api/prompt.txt",
        "boto3/session.py",
        "botocore/data/endpoints.json",
        "botocore/data/s3/2006-03-01/service-2.json.gz",
        "certifi/cacert.pem",
        "fastapi-1.0.dist-info/METADATA",
        "fastapi-1.0.dist-info/entry_points.txt",
        "lambda_function.py",
        "setuptools-80.0.dist-info/METADATA",
        "template/old.py",
    }


def test_only_a_shell_script_may_be_run_as_a_program(stock: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(stock, "a") as package:
        package.writestr("shared/wrapper.sh", b"#!/bin/sh\nexec true\n")
    pack(stock, tmp_path / "out.zip", ["s3"])
    with zipfile.ZipFile(tmp_path / "out.zip") as package:
        modes = {entry.filename: entry.external_attr >> 16 for entry in package.infolist()}
    assert modes.pop("shared/wrapper.sh") == 0o100755
    assert set(modes.values()) == {0o100644}


def test_metadata_keeps_its_headers_only(stock: Path, tmp_path: Path) -> None:
    pack(stock, tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as package:
        metadata = package.read("fastapi-1.0.dist-info/METADATA")
    assert metadata == b"Name: fastapi\nVersion: 1.0\n"


def test_the_bill_names_what_the_package_contains(stock: Path, tmp_path: Path) -> None:
    """Of setuptools only the metadata is kept, so the bill leaves it out."""
    pack(stock, tmp_path / "out.zip")
    content = json.loads((tmp_path / "out.cdx.json").read_bytes())
    assert [item["purl"] for item in content["components"]] == ["pkg:pypi/fastapi@1.0"]
    digest = hashlib.sha256((tmp_path / "out.zip").read_bytes()).hexdigest()
    assert content["metadata"]["component"]["hashes"] == [{"alg": "SHA-256", "content": digest}]


def test_botocores_certificates_are_kept_if_there_are_no_others(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "stock.zip", "w") as package:
        package.writestr("botocore/cacert.pem", "certificates")
    pack(tmp_path / "stock.zip", tmp_path / "out.zip")
    assert names_in(tmp_path / "out.zip") == {"botocore/cacert.pem"}


def test_a_service_that_botocore_does_not_know_is_an_error(stock: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"no model of: bedrock, sss$"):
        pack(stock, tmp_path / "out.zip", ["sss", "s3", "bedrock"])
    assert not (tmp_path / "out.zip").exists()


def test_another_version_of_python_is_an_error(
    stock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pack_lambda, "PYTHON", (3, 12))
    with pytest.raises(SystemExit, match="bytecode"):
        pack(stock, tmp_path / "out.zip")


def test_modules_are_imported_from_their_bytecode(stock: Path, tmp_path: Path) -> None:
    """An unchecked .pyc is used as it is, even beside a source that says something else."""
    pack(stock, tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as package:
        package.extractall(tmp_path / "task")
    (tmp_path / "task/api/handler.py").write_text("raise SystemExit('compiled again')\n")
    program = "import api.handler as h; print(h.answer())"
    answer = subprocess.run(
        [sys.executable, "-S", "-c", program],
        cwd=tmp_path / "task",
        env={"PYTHONPATH": str(tmp_path / "task")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout == "42\n"


def test_bytecode_is_not_checked_against_the_source() -> None:
    content = compiled("api/handler.py", SOURCE)
    assert content is not None
    assert int.from_bytes(content[4:8], "little") == 0b01
    assert marshal.loads(content[16:]).co_filename == "/var/task/api/handler.py"  # noqa: S302


def test_a_file_that_does_not_compile_gets_no_bytecode() -> None:
    assert compiled("template/old.py", STOCK["template/old.py"]) is None


@pytest.mark.parametrize(("seed", "zone"), [("0", "UTC"), ("1", "Asia/Tokyo"), ("2", "UTC")])
def test_bytes_are_the_same_every_time(stock: Path, tmp_path: Path, seed: str, zone: str) -> None:
    """Hash seed, time zone, working folder and the order of the source zip make no difference."""
    pack(stock, tmp_path / "here.zip", ["s3"])
    other = tmp_path / "other" / "stock.zip"
    other.parent.mkdir()
    with zipfile.ZipFile(other, "w", zipfile.ZIP_DEFLATED) as package:
        for name in reversed(STOCK):
            package.writestr(zipfile.ZipInfo(name, (2020, 2, 2, 2, 2, 2)), STOCK[name])
    subprocess.run(
        [sys.executable, pack_lambda.__file__, "stock.zip", "out.zip", "--aws-service=s3"],
        cwd=other.parent,
        env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone},
        check=True,
    )
    assert (other.parent / "out.zip").read_bytes() == (tmp_path / "here.zip").read_bytes()
    here = (tmp_path / "here.cdx.json").read_text().replace("here.zip", "out.zip")
    assert (other.parent / "out.cdx.json").read_text() == here


def test_the_command_line_prints_the_sizes(
    stock: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([str(stock), str(tmp_path / "out.zip"), "--aws-service", "s3"])
    assert capsys.readouterr().out.endswith("MB unzipped\n")
