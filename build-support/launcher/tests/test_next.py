"""What selects the newest Pants agrees with what this repository runs, so that it can be tried.

The newest Pants itself cannot be installed from a package index: `.ci/next` runs it elsewhere.
"""

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]

# Options that only one of the two has, with the reason.
ONLY_HERE = {
    "DEFAULT": "the official launcher hands over to ./pants",
    "lambdex": "removed in 2.19",
    "pex-cli": "2.17's own Pex cannot use Python 3.13",
}


def _configuration(name: str) -> dict[str, Any]:
    return tomllib.loads((REPOSITORY / name).read_text(encoding="utf-8"))


def test_both_configurations_set_the_same_options() -> None:
    now, following = _configuration("pants.toml"), _configuration("pants.next.toml")
    assert set(now) - set(following) == set(ONLY_HERE)
    assert set(following) <= set(now)
    for section in set(following) - {"GLOBAL", "python", "python-infer"}:
        assert following[section] == now[section], section
    for option in ("tag", "pants_ignore", "process_execution_graceful_shutdown_timeout"):
        assert following["GLOBAL"][option] == now["GLOBAL"][option]
    for section, gone in (("python", "pip_version"), ("python-infer", "use_rust_parser")):
        assert {**following[section], gone: now[section][gone]} == now[section]


def test_our_plugins_are_replaced_by_backends_of_pants() -> None:
    now, following = (
        set(_configuration(name)["GLOBAL"]["backend_packages"]["add"])
        for name in ("pants.toml", "pants.next.toml")
    )
    assert now - following == {"lambda_zip", "ruff_checks"}
    assert following - now == {
        f"pants.backend.experimental.python.lint.ruff.{part}" for part in ("check", "format")
    }


def _declared(*preludes: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the targets that `lambda_package` declares with these preludes."""
    made: list[tuple[str, dict[str, Any]]] = []

    def declares(kind: str) -> Any:
        return lambda **fields: made.append((kind, fields))

    names: dict[str, Any] = {
        kind: declares(kind)
        for kind in ("python_awslambda", "python_aws_lambda_function", "lambda_zip", "target")
    }
    for prelude in preludes:
        exec((REPOSITORY / prelude).read_text(encoding="utf-8"), names)  # noqa: S102 - as Pants does
    names["lambda_package"]("api", aws_services=["secretsmanager"], tags=["test"])
    return made


def test_both_preludes_declare_the_same_packages() -> None:
    globs = _configuration("pants.next.toml")["GLOBAL"]["build_file_prelude_globs"]
    assert globs == sorted(globs)  # Pants reads them in this order, and the last definition counts
    stock, packed = _declared("build-support/macros.py")
    following, _ = _declared(*globs)
    assert stock[0] == "python_awslambda"
    assert following[0] == "python_aws_lambda_function"
    assert following[1] == stock[1]
    assert packed[1]["output_path"] == "api.zip"


@pytest.mark.parametrize("name", ["pants.next.toml", "build-support/macros_next.py", ".ci/next"])
def test_what_nobody_has_run_yet_says_so(name: str) -> None:
    text = (REPOSITORY / name).read_text(encoding="utf-8").removeprefix("#!/usr/bin/env bash\n")
    assert text.startswith("# NOT YET RUN.")


def test_the_version_is_the_same_everywhere() -> None:
    script = (REPOSITORY / ".ci" / "next").read_text(encoding="utf-8")
    [version] = re.findall(r"^version=(.+)$", script, re.MULTILINE)
    example = (REPOSITORY / "pants.next.toml").read_text(encoding="utf-8")
    assert f"PANTS_VERSION={version} " in example


def test_a_dry_run_says_what_it_would_do() -> None:
    done = subprocess.run(
        [str(REPOSITORY / ".ci" / "next"), "--dry-run"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("would package with ./pants and with Pants 2.")
