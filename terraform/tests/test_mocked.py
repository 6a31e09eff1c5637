"""Runs `terraform fmt`, `validate` and `test` on both layers, offline."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from local.terraform.layer_copy import REPOSITORY, variable_options
from tests.harness import Layer, TerraformError, missing
from tests.lifecycle import GITHUB, IMAGE
from tests.plans import mocked_layer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(missing() is not None, reason=f"Terraform cannot run here: {missing()}"),
]

LAYERS = ("bootstrap", "terraform")
SUITES = {
    "bootstrap": ("bootstrap",),
    "terraform": ("services", "keys", "runner", "tracing", "streaming", "refusals", "canary"),
}
ENVIRONMENTS = ("dev", "test", "prod", "developer")
MODULES = sorted(path.name for path in (REPOSITORY / "terraform" / "modules").iterdir())


@pytest.fixture(scope="module", params=LAYERS)
def layer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Layer:
    return mocked_layer(request.param, tmp_path_factory.mktemp("mocked"))


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Layer:
    layer = mocked_layer("terraform", tmp_path_factory.mktemp("application"))
    # Its defaults would hide what an environment's file lacks.
    (layer.folder / "tests" / "terraform.tfvars").unlink()
    return layer


def test_files_are_formatted(layer: Layer) -> None:
    layer.run("fmt", "-check", "-recursive", "-diff")


def test_the_layer_is_valid_and_nothing_in_it_is_deprecated(layer: Layer) -> None:
    answer = json.loads(layer.run("validate", "-json"))
    assert answer["valid"]
    assert answer["diagnostics"] == []


def test_the_lock_file_covers_every_platform(layer: Layer) -> None:
    lock = (layer.folder / ".terraform.lock.hcl").read_text()
    assert len(re.findall(r'"zh:[0-9a-f]{64}"', lock)) == 15


@pytest.mark.parametrize(
    ("name", "suite"), [(name, suite) for name in LAYERS for suite in SUITES[name]]
)
def test_suite_passes(name: str, suite: str, tmp_path: Path) -> None:
    layer = mocked_layer(name, tmp_path)
    answer = layer.run("test", "-no-color", f"-filter=tests/{suite}.tftest.hcl")
    assert re.search(r"Success! [1-9]\d* passed, 0 failed", answer)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_valid_and_its_suites_pass_by_themselves(module: str, tmp_path: Path) -> None:
    layer = Layer("terraform", tmp_path / "terraform", endpoint_url=None)
    folder = f"-chdir={layer.folder / 'modules' / module}"
    layer.run(folder, "init", "-backend=false", "-no-color")
    valid = json.loads(layer.run(folder, "validate", "-json"))
    assert valid["valid"]
    assert valid["diagnostics"] == []
    answer = layer.run(folder, "test", "-no-color")
    assert re.search(r"Success! [1-9]\d* passed, 0 failed", answer)


def test_a_declared_function_without_a_module_is_refused(tmp_path: Path) -> None:
    layer = mocked_layer("terraform", tmp_path)
    declaration = tmp_path / "services.json"
    services = json.loads(declaration.read_text())
    declaration.write_text(json.dumps(services | {"nomodule": services["chat"]}))
    with pytest.raises(TerraformError, match=r"services\.json declares nomodule: add the module"):
        layer.run("test", "-no-color", "-filter=tests/tracing.tftest.hcl")


def test_every_suite_is_run() -> None:
    for name, suites in SUITES.items():
        files = {path.name for path in (REPOSITORY / name / "tests").glob("*.tftest.hcl")}
        assert files - {"environment.tftest.hcl"} == {f"{suite}.tftest.hcl" for suite in suites}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environments_variables_are_complete(application: Layer, environment: str) -> None:
    file = application.folder / "environments" / f"{environment}.tfvars"
    file.write_text(file.read_text().replace('"NAME"', '"anna"'))  # the template of developers
    answer = application.run(
        "test",
        "-no-color",
        "-filter=tests/environment.tftest.hcl",
        f"-var-file=environments/{environment}.tfvars",
        environment={"TF_VAR_alarm_emails": '["oncall@example.com"]'},
    )
    assert "Success! 1 passed, 0 failed" in answer


# A wrong value of each variable, and the part of its message that says what to write.
WRONG: Mapping[str, tuple[Any, str]] = {
    "project_name": ("Fin_Advisor", "Write project_name in 3 to 16 lower-case letters"),
    "environment": ("production", 'Write environment as "dev", "test" or "prod"'),
    "aws_region": ("Virginia", "Write aws_region as a region's code"),
    "tags": ({"environment": "prod"}, "Leave Project, Environment, ManagedBy and Service out of"),
    "architecture": ("amd64", 'Write architecture as "x86_64" or "arm64"'),
    "runner_platform": ("lambda", ""),
    "key_rotation_days": (0, "Write key_rotation_days as a number of days"),
    "secret_recovery_days": (3, "Write secret_recovery_days as 0, or as a number between 7 and 30"),
    "log_level": ("debug", "Write log_level as DEBUG, INFO, WARNING, ERROR or CRITICAL"),
    "log_retention_days": (
        31,
        "Write log_retention_days as a number of days that CloudWatch accepts",
    ),
    "embedding_dimensions": (768, "Write embedding_dimensions as 256, 512 or 1024"),
    "chat_model_id": ("claude", "Write chat_model_id as Bedrock lists it"),
    "erasure_days": (3, "Write erasure_days as a whole number from 4 to 3650"),
    "conversation_days": (0, "Write conversation_days as a whole number from 1 to 3650"),
    "chat_max_output_tokens": (0, "Write chat_max_output_tokens as a whole number"),
    "chat_min_relevance": (2, "Write chat_min_relevance as a number between -1 and 1"),
    "chat_citations": ("footnotes", 'Write chat_citations as "prompt" or "native"'),
    "chat_model_fields": ("[1]", "Write chat_model_fields as a JSON object"),
    "chat_guardrail": (
        {"id": "gr1", "version": "latest"},
        "Write chat_guardrail with the id of a guardrail",
    ),
    "chat_support_country": ("usa", "Write chat_support_country as two capital letters"),
    "chat_policy_path": ("acme.yaml", "Write chat_policy_path as the path of a .json file"),
    "vector_backend": ("faiss", 'Write vector_backend as "s3" or "s3vectors"'),
    "search_mode": ("lexical", 'Write search_mode as "dense" or "hybrid"'),
    "waf_acl_arn": ("acl", "Write waf_acl_arn as the ARN of a regional web ACL"),
    "live_versions": ({"api": "latest"}, "Write live_versions as a service's name"),
    "service_api_keys": ({"A/b": {"quota_limit": 1}}, "Write the names in service_api_keys"),
    "reserved_concurrency": ({"web": 1}, "; the services are api, "),
    "cors_origins": (["https://a.example/"], "Write cors_origins as scheme and host"),
    "release": ("v1.2.0+2", "Write release as a tag or a commit"),
}


# Variables whose validation depends on another variable, which has to be valid.
WRONG_BESIDE_A_RIGHT_ONE: Mapping[str, tuple[Any, str]] = {
    "runner_image": ("runner:latest", "Write runner_image as ACCOUNT.dkr.ecr"),
    "tracing_mode": ("xray", 'Write tracing_mode as "sdk", "auto", "udp" or "off"'),
    "force_destroy": (True, "Leave force_destroy false in test and prod"),
    "environment": ("test", ""),
    "max_store_mib": (193.5, "Write max_store_mib as a whole number"),
    "runner_platform": ("apprunner", ""),
    "enable_service_api_keys": (False, ""),
    "authorizer": (
        {"type": "cognito", "user_pool_arns": ["arn:aws:cognito-idp:us-east-1:1:userpool/a"]},
        "authorizer needs enable_service_api_keys = true",
    ),
}

# Variables that have to fit together.
TOO_LARGE_TOGETHER: Mapping[str, tuple[Any, str]] = {
    "environment": ("dev", ""),
    "runner_platform": ("lambda", ""),
    "max_store_mib": (1024, ""),
    "s3vector_memory_mb": (
        1673,
        "Set s3vector_memory_mb to at least 1674, which a max_store_mib of 1024 needs",
    ),
}
TOO_LARGE_FOR_A_FUNCTION: Mapping[str, tuple[Any, str]] = {
    "environment": ("dev", ""),
    "runner_platform": ("lambda", ""),
    "max_store_mib": (7300, "A function has at most 10,240 MB of memory"),
}

# A variable with two rules, one of which depends on the environment.
WRONG_IN_DEV: Mapping[str, tuple[Any, str]] = {
    "s3vector_memory_mb": (64, "Write s3vector_memory_mb as a whole number from 128 to 10240"),
    "environment": ("dev", ""),
    "runner_platform": ("ecs", 'or as "lambda" for an account that cannot use App Runner'),
}


@pytest.fixture(scope="module")
def unreachable(tmp_path_factory: pytest.TempPathFactory) -> Layer:
    """The application layer with the real provider and no AWS: validation needs none."""
    folder = tmp_path_factory.mktemp("unreachable")
    layer = Layer("terraform", folder / "terraform", endpoint_url="http://127.0.0.1:9")
    layer.init()
    return layer


def _refusal(layer: Layer, *options: str) -> str:
    with pytest.raises(TerraformError) as refused:
        layer.run("plan", "-no-color", *options)
    return " ".join(str(refused.value).split())


@pytest.mark.parametrize(
    "wrong",
    [WRONG, WRONG_BESIDE_A_RIGHT_ONE, TOO_LARGE_TOGETHER, TOO_LARGE_FOR_A_FUNCTION, WRONG_IN_DEV],
)
def test_a_wrong_variable_is_refused_with_what_to_write(
    unreachable: Layer, wrong: Mapping[str, tuple[Any, str]]
) -> None:
    printed = _refusal(
        unreachable, *variable_options({name: value for name, (value, _) in wrong.items()})
    )
    assert not [message for _, message in wrong.values() if message not in printed]


def test_a_missing_package_is_named_with_the_command_that_makes_it(unreachable: Layer) -> None:
    printed = _refusal(
        unreachable,
        "-var-file=environments/dev.tfvars",
        *variable_options({"package_dir": "nowhere", "runner_image": IMAGE}),
    )
    assert "run `./pants package ::` first" in printed


def test_bootstrap_has_variables_for_the_repositorys_ids() -> None:
    assert set(GITHUB) <= set(
        re.findall(r'variable "(\w+)"', (REPOSITORY / "bootstrap/variables.tf").read_text())
    )
