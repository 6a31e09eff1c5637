"""The search for terraform and its provider, and the copy of a layer."""

from pathlib import Path

import pytest

from local.options import Options
from local.preflight import problems
from local.terraform import layer_copy
from local.terraform.layer_copy import LayerCopy, missing, provider_mirror, variable_options


@pytest.fixture
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Hide terraform and the provider. Returns the machine's folder for providers."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("TF_PLUGIN_CACHE_DIR", raising=False)
    monkeypatch.setattr(layer_copy, "REPOSITORY", tmp_path / "repository")
    monkeypatch.setattr(layer_copy, "_PROVIDER_ROOTS", (str(tmp_path / "plugins"),))
    return tmp_path / "plugins"


def test_each_missing_tool_is_one_line_with_the_places_searched(bare_machine: Path) -> None:
    program, provider = missing()
    assert "no terraform on PATH" in program
    assert str(bare_machine) in provider
    assert "init -backend=false" in provider


def test_a_missing_terraform_is_reported_only_with_the_option(bare_machine: Path) -> None:
    assert problems(Options(port=0)) == []
    assert problems(Options(port=0, terraform=True)) == list(missing())


@pytest.mark.parametrize("below", ["", "a", "a/b/c"])
def test_a_provider_is_found_a_few_folders_deep(bare_machine: Path, below: str) -> None:
    (bare_machine / below / "registry.terraform.io/hashicorp/aws").mkdir(parents=True)
    assert provider_mirror() == bare_machine / below


def test_a_provider_of_an_earlier_init_is_found(bare_machine: Path) -> None:
    fetched = bare_machine.parent / "repository/terraform/.terraform/providers"
    (fetched / "registry.terraform.io/hashicorp/aws").mkdir(parents=True)
    assert provider_mirror() == fetched


def test_a_copy_uses_the_embedded_aws_and_leaves_the_layer_unchanged(
    bare_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    source = bare_machine.parent / "repository" / "small"
    source.mkdir(parents=True)
    for name in ("main.tf", "terraform.tfstate", "backend.tf"):
        (source / name).write_text("")
    (source.parent / "services.json").write_text("{}")
    folder = bare_machine.parent / "copy"
    copy = LayerCopy("small", folder, endpoint_url="http://127.0.0.1:9", s3_backend=True)
    assert {path.name for path in folder.iterdir()} == {"main.tf", "embedded_override.tf"}
    assert 's3 = "http://127.0.0.1:9"' in (folder / "embedded_override.tf").read_text()
    assert len(list(source.iterdir())) == 3
    environment = copy.environment()
    assert "AWS_PROFILE" not in environment
    assert Path(environment["TF_CLI_CONFIG_FILE"]).is_file()


def test_a_variable_is_json_unless_it_is_a_string() -> None:
    given = {"name": "dev", "keys": ["a"], "on": True}
    assert variable_options(given) == ["-var=name=dev", '-var=keys=["a"]', "-var=on=true"]
