"""The bill of an image lists what its layers contain at the end."""

import json
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from deploy import image_contents
from deploy.image_contents import write_bill
from deploy.program import Refused
from deploy.tests.fakes import image_archive

_STATUS = b"Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.41\n"
_SITE = "app/lib/python3.13/site-packages"


def _metadata(name: str, version: str) -> bytes:
    return f"Name: {name}\nVersion: {version}\n\n".encode()


def _listed(archive: Path) -> list[str]:
    text = write_bill(archive).read_text(encoding="utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    return [item["purl"] for item in json.loads(text)["components"]]


def test_system_packages_python_and_its_distributions_are_listed(tmp_path: Path) -> None:
    base = {"var/lib/dpkg/status": _STATUS, "usr/bin/env": b""}
    app = {
        f"{_SITE}/httpx-0.28.1.dist-info/METADATA": _metadata("httpx", "0.28.1"),
        f"./{_SITE}/h11-0.16.0.dist-info/METADATA": _metadata("h11", "0.16.0"),
    }
    image_archive(tmp_path / "image.tar", "one", [base, app])
    assert _listed(tmp_path / "image.tar") == [
        "pkg:deb/debian/libc6@2.41?arch=amd64",
        "pkg:generic/python@3.13.15",
        "pkg:pypi/h11@0.16.0",
        "pkg:pypi/httpx@0.28.1",
    ]


@pytest.mark.parametrize("deletion", ["old/.wh.pip-24.0.dist-info", "old/.wh..wh..opq", ".wh.old"])
def test_what_a_later_layer_deletes_is_not_listed(tmp_path: Path, deletion: str) -> None:
    base = {"old/pip-24.0.dist-info/METADATA": _metadata("pip", "24.0")}
    later = {"old/wheel-1.dist-info/METADATA": _metadata("wheel", "1"), deletion: b""}
    image_archive(tmp_path / "image.tar", "one", [base, later])
    assert _listed(tmp_path / "image.tar") == ["pkg:generic/python@3.13.15", "pkg:pypi/wheel@1"]


def test_the_same_archive_gives_the_same_bytes(tmp_path: Path) -> None:
    image_archive(tmp_path / "image.tar", "one", [{"var/lib/dpkg/status": _STATUS}])
    first = (tmp_path / "image.cdx.json").read_bytes()
    assert write_bill(tmp_path / "image.tar").read_bytes() == first


def test_a_list_without_bounds_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_contents, "_MAX_BYTES", 1000)
    with pytest.raises(Refused, match="larger than 1000 bytes"):
        image_archive(tmp_path / "image.tar", "one", [{"var/lib/dpkg/status": _STATUS * 20}])


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "image.tar").write_bytes(b"no tar")
    with pytest.raises(Refused, match="not an archive of `docker save`"):
        write_bill(tmp_path / "image.tar")
