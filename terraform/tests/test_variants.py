"""Both layers with other options are applied to the embedded AWS, planned again, and destroyed.

`test_apply.py` does this with dev's own options: App Runner, vectors in S3, tracing by the SDK.
Together they cover each platform, vector engine and tracing mode. The nightly run has them.
"""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.terraform.layer_copy import variable_options
from services.declared import SERVICES
from tests.embedded_aws import RecordedAws
from tests.harness import Layer, missing
from tests.lifecycle import GITHUB, IMAGE, leftovers

pytestmark = pytest.mark.skipif(
    missing() is not None, reason=f"Terraform cannot run here: {missing()}"
)

VARIANTS = [
    {"runner_platform": "lambda", "vector_backend": "s3vectors", "tracing_mode": "auto"},
    {"runner_platform": "apprunner", "vector_backend": "s3", "tracing_mode": "udp"},
    {"runner_platform": "lambda", "vector_backend": "s3", "tracing_mode": "off"},
]


@pytest.fixture
def aws() -> Iterator[RecordedAws]:
    aws = RecordedAws()
    aws.serve()
    yield aws
    aws.stop()


# moto creates the stack, and says that it leaves out what it does not know.
@pytest.mark.filterwarnings("ignore:Tried to parse AWS..S3Vectors")
@pytest.mark.parametrize("options", VARIANTS, ids=lambda options: "-".join(options.values()))
def test_a_second_plan_is_empty_and_destroy_leaves_nothing(
    aws: RecordedAws, options: dict[str, str], tmp_path: Path
) -> None:
    # bootstrap/ writes into the application layer, so both are there first.
    application = Layer("terraform", tmp_path / "terraform", endpoint_url=aws.url)
    bootstrap = Layer("bootstrap", tmp_path / "bootstrap", endpoint_url=aws.url)
    in_bootstrap = variable_options(
        {**GITHUB, "environments": ["dev"], "force_destroy": True, "write_own_backend": False}
    )
    bootstrap.init()
    bootstrap.apply(*in_bootstrap)

    packages = tmp_path / "dist"
    packages.mkdir()
    for name in SERVICES:
        with zipfile.ZipFile(packages / f"{name}.zip", "w") as package:
            package.writestr("lambda_function.py", f"# {name}")
    image = {"runner_image": IMAGE} if options["runner_platform"] == "apprunner" else {}
    in_application = [
        "-var-file=environments/dev.tfvars",
        *variable_options({"package_dir": str(packages), **image, **options}),
    ]
    application.init()
    application.apply(*in_application)
    second = application.plan(*in_application)
    assert (second.changes(), second.output_changes()) == ({}, [])
    state = application.state()
    on_lambda = "module.runner[0].aws_lambda_function.main" in state.addresses()
    assert on_lambda == (options["runner_platform"] == "lambda")

    application.destroy("-refresh=false", *in_application)
    bootstrap.destroy("-refresh=false", *in_bootstrap)
    assert [*leftovers(aws), *aws.leftovers()] == []
