"""THIRD_PARTY.md agrees with the lock, and is made of what archives contain."""

import json
import re
import zipfile
from pathlib import Path

import pytest

from licences.document import listed, render
from licences.packages import notices, packages

ROOT = Path(__file__).resolve().parents[3]


def _archive(folder: Path, files: dict[str, str]) -> Path:
    path = folder / "api.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def _metadata(name: str, *more: str) -> str:
    return "\n".join(["Metadata-Version: 2.4", f"Name: {name}", "Version: 1.2", *more, "", "Text"])


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_each_listed_package_has_the_version_of_the_lock() -> None:
    """After a change of the lock: ./pants package :: and the program third_party."""
    text = (ROOT / "3rdparty/python/default.lock").read_text()
    [resolve] = json.loads(re.sub(r"(?m)^//.*$", "", text))["locked_resolves"]
    locked = {_normal(r["project_name"]): r["version"] for r in resolve["locked_requirements"]}
    document = listed((ROOT / "THIRD_PARTY.md").read_text())
    assert len(document) > 40
    differing = {
        (name, version) for name, version in document if locked.get(_normal(name)) != version
    }
    assert differing == set()


def test_a_package_is_listed_with_its_licence_its_source_and_its_notices(tmp_path: Path) -> None:
    archive = _archive(
        tmp_path,
        {
            "one-1.2.dist-info/METADATA": _metadata(
                "one", "License-Expression: MPL-2.0", "Project-URL: Source, https://one.example"
            ),
            "one-1.2.dist-info/licenses/LICENSE": "Mozilla\n",
            ".deps/two.whl/two-1.2.dist-info/METADATA": _metadata(
                "two",
                "Classifier: License :: OSI Approved :: MIT License",
                "Home-page: https://two.example",
            ),
            ".deps/two.whl/two-1.2.dist-info/NOTICE.txt": "Two's notice",
            "one/code.py": "",
        },
    )
    text = render(packages([archive]), notices([archive]))
    assert "| one | 1.2 | MPL-2.0 | https://one.example |" in text
    assert "| two | 1.2 | MIT License | https://two.example |" in text
    assert listed(text) == {("one", "1.2"), ("two", "1.2")}
    mozilla = text.partition("Mozilla Public License 2.0\n")[2].partition("## Notices")[0]
    assert "* one 1.2: https://one.example" in mozilla
    assert "two" not in mozilla
    assert "### two\n\n```text\nTwo's notice\n```" in text


def test_packages_with_the_same_text_share_one_notice(tmp_path: Path) -> None:
    files = {}
    for name in ("one", "two"):
        files[f"{name}-1.2.dist-info/METADATA"] = _metadata(name, "License: Apache-2.0")
        files[f"{name}-1.2.dist-info/LICENSE"] = "The text\n"
    archive = _archive(tmp_path, files)
    text = render(packages([archive]), notices([archive]))
    assert text.count("The text") == 1
    assert "### one, two" in text


def test_a_package_without_a_licence_is_an_error_that_names_it(tmp_path: Path) -> None:
    archive = _archive(tmp_path, {"one-1.2.dist-info/METADATA": _metadata("one")})
    with pytest.raises(LookupError, match="one names no licence"):
        packages([archive])


def test_a_package_without_a_licence_file_is_listed_as_such(tmp_path: Path) -> None:
    metadata = _metadata("one", "License-Expression: MIT")
    archive = _archive(tmp_path, {"one-1.2.dist-info/METADATA": metadata})
    text = render(packages([archive]), notices([archive]))
    assert "contain no licence file, only the name of their licence:\n\n* one: MIT" in text
