"""Running terraform: the progress of an apply and the reason of a failure."""

import io
import shutil
from pathlib import Path

import pytest

from local.terraform import layer_copy
from local.terraform.layer_copy import REPOSITORY, missing, provider_mirror
from local.terraform.program import Layer, TerraformFailedError

pytestmark = pytest.mark.anyio

cannot_run = pytest.mark.skipif(
    any(missing()), reason=f"Terraform cannot run here: {'; '.join(missing())}"
)


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
    """A layer with one resource that needs no AWS."""
    source = tmp_path / "repository" / "small"
    source.mkdir(parents=True)
    (source / "main.tf").write_text(_LAYER)
    (source.parent / "services.json").write_text("{}")
    shutil.copy(REPOSITORY / "terraform" / ".terraform.lock.hcl", source)
    mirror = provider_mirror()
    monkeypatch.setattr(layer_copy, "REPOSITORY", tmp_path / "repository")
    monkeypatch.setattr(layer_copy, "_PROVIDER_ROOTS", (str(mirror),))
    return Layer("small", tmp_path / "copy", endpoint_url="http://127.0.0.1:9", log=io.BytesIO())


@cannot_run
async def test_an_apply_reports_its_progress(layer: Layer) -> None:
    reported: list[tuple[int, int]] = []
    await layer.init()
    await layer.apply(
        variables={"size": 2}, progress=lambda created, total: reported.append((created, total))
    )
    assert reported == [(1, 1)]


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
