"""Where terraform and its provider are looked for, and what is said where they fail."""

import io
import shutil
from pathlib import Path

import pytest

from local import terraform
from local.options import Options
from local.preflight import problems
from local.terraform import REPOSITORY, Layer, TerraformFailedError, missing, provider_mirror

pytestmark = pytest.mark.anyio

cannot_run = pytest.mark.skipif(
    any(missing()), reason=f"Terraform cannot run here: {'; '.join(missing())}"
)


@pytest.fixture
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with neither; its folder for providers."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("TF_PLUGIN_CACHE_DIR", raising=False)
    monkeypatch.setattr(terraform, "REPOSITORY", tmp_path / "repository")
    monkeypatch.setattr(terraform, "_PROVIDER_ROOTS", (str(tmp_path / "plugins"),))
    return tmp_path / "plugins"


def test_what_is_missing_is_one_line_each_with_where_it_was_looked_for(bare_machine: Path) -> None:
    program, provider = missing()
    assert "no terraform on PATH" in program
    assert str(bare_machine) in provider
    assert "init -backend=false" in provider


def test_only_who_asks_for_terraform_is_told_that_it_is_missing(bare_machine: Path) -> None:
    assert problems(Options(port=0)) == []
    assert problems(Options(port=0, terraform=True)) == list(missing())


@pytest.mark.parametrize("below", ["", "a", "a/b/c"])
def test_a_provider_is_found_a_few_folders_deep(bare_machine: Path, below: str) -> None:
    (bare_machine / below / "registry.terraform.io/hashicorp/aws").mkdir(parents=True)
    assert provider_mirror() == bare_machine / below


def test_what_an_init_of_the_layer_fetched_is_found(bare_machine: Path) -> None:
    fetched = bare_machine.parent / "repository/terraform/.terraform/providers"
    (fetched / "registry.terraform.io/hashicorp/aws").mkdir(parents=True)
    assert provider_mirror() == fetched


_LAYER = """
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

variable "size" {
  type = number
}

resource "terraform_data" "one" {
  lifecycle {
    precondition {
      condition     = var.size > 1
      error_message = "Write a size above 1."
    }
  }
}
"""


@pytest.fixture
def layer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layer:
    """A layer of one resource, for which no AWS is needed."""
    source = tmp_path / "repository" / "small"
    source.mkdir(parents=True)
    (source / "main.tf").write_text(_LAYER)
    shutil.copy(REPOSITORY / "terraform" / ".terraform.lock.hcl", source)
    mirror = provider_mirror()
    monkeypatch.setattr(terraform, "REPOSITORY", tmp_path / "repository")
    monkeypatch.setattr(terraform, "_PROVIDER_ROOTS", (str(mirror),))
    return Layer("small", tmp_path / "copy", endpoint_url="http://127.0.0.1:9", log=io.BytesIO())


@cannot_run
async def test_an_apply_tells_how_far_it_is(layer: Layer) -> None:
    told: list[tuple[int, int]] = []
    await layer.init()
    await layer.apply(
        variables={"size": 2}, progress=lambda made, total: told.append((made, total))
    )
    assert told == [(1, 1)]


@cannot_run
async def test_a_failed_apply_is_one_line_with_terraforms_reason(layer: Layer) -> None:
    await layer.init()
    with pytest.raises(TerraformFailedError) as caught:
        await layer.apply(variables={"size": 1})
    assert str(caught.value) == ("small/: Resource precondition failed: Write a size above 1.")


@cannot_run
async def test_a_failed_init_is_one_line_with_terraforms_reason(
    layer: Layer, tmp_path: Path
) -> None:
    (tmp_path / "copy" / "main.tf").write_text("resource {")
    with pytest.raises(TerraformFailedError, match=r"small/: terraform init failed: Error: ") as e:
        await layer.init()
    assert "\n" not in str(e.value)
