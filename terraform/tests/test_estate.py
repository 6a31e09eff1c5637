"""What each resource has, in every environment, is what the tables say; and some of it is a rule.

The tables catch a change that nobody meant. The rules say which changes nobody may mean.
"""

import copy
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from services.declared import SERVICES
from tests.comparison import differences, without
from tests.estate import LAYERS, block_differences, instances_of, on_topic
from tests.harness import Layer, missing
from tests.planned_values import Values
from tests.plans import Planned, mocked_layer, plans
from tests.tables import TOPICS, encoded, read, read_added, text_of
from tests.variants import ENVIRONMENTS, variants

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(missing() is not None, reason=f"Terraform cannot run here: {missing()}"),
]

_CHANGED = (
    "after a deliberate change run `./pants run terraform/tests:write_tables` and review each line"
)
Plans = Mapping[str, tuple[Layer, Mapping[str, Planned]]]


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Plans:
    """Every plan of both layers."""
    made = {}
    for name in LAYERS:
        layer = mocked_layer(name, tmp_path_factory.mktemp(name))
        made[name] = (layer, {plan.variant: plan for plan in plans(layer, variants(name))})
    return made


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("name", LAYERS)
def test_each_plan_is_as_its_table_says(planned: Plans, name: str, topic: str) -> None:
    table, added = read(topic, name), read_added(topic, name)
    lines = [
        line
        for variant, plan in planned[name][1].items()
        for line in differences(table, on_topic(topic, instances_of(name, plan)), variant, added)
    ]
    assert not lines, "\n".join([_CHANGED, *lines])


@pytest.mark.parametrize("name", LAYERS)
def test_order_lifecycle_and_defaults_are_as_the_table_says(planned: Plans, name: str) -> None:
    lines = block_differences(planned[name][0])
    assert not lines, "\n".join([_CHANGED, *lines])


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("name", LAYERS)
def test_the_table_is_as_the_program_writes_it(planned: Plans, name: str, topic: str) -> None:
    found = [
        item
        for plan in planned[name][1].values()
        for item in on_topic(topic, instances_of(name, plan))
    ]
    recorded = without(found, read_added(topic, name))
    assert text_of(read(topic, name)) == text_of(encoded(recorded))


# --- What the comparison notices ------------------------------------------------------------------


def _changed(plan: Planned, address: str, path: str, value: object) -> list[str]:
    resources = copy.deepcopy(dict(plan.resources))
    resources[address] = {**resources[address], path: value}
    return _differences_of_rights(Planned(plan.variant, resources))


def _differences_of_rights(plan: Planned) -> list[str]:
    found = on_topic("rights", instances_of("terraform", plan))
    table, added = read("rights", "terraform"), read_added("rights", "terraform")
    return differences(table, found, plan.variant, added)


def test_an_added_and_a_removed_right_are_named_with_their_statement(planned: Plans) -> None:
    plan = planned["terraform"][1]["dev"]
    address, path = "aws_iam_policy.lambda_api_secrets", "policy.Statement.ReadOwnKey.Action"
    assert _changed(plan, address, path, ["secretsmanager:GetSecretValue", "s3:*"]) == [
        f'dev: {address}: policy.ReadOwnKey.Action: added ["s3:*"]'
    ]
    assert _changed(plan, address, path, []) == [
        f'dev: {address}: policy.ReadOwnKey.Action: removed ["secretsmanager:GetSecretValue"]'
    ]
    assert _changed(plan, address, "policy.Statement.Second.Action", ["s3:*"]) == [
        f'dev: {address}: policy.Second.Action: added ["s3:*"]'
    ]


def test_a_new_and_a_missing_resource_are_named(planned: Plans) -> None:
    plan = planned["terraform"][1]["dev"]
    resources = dict(plan.resources)
    resources["aws_iam_policy.extra"] = resources.pop("aws_iam_policy.lambda_api_secrets")
    assert sorted(_differences_of_rights(Planned("dev", resources))) == [
        "dev: aws_iam_policy.extra: planned, and not in the table",
        "dev: aws_iam_policy.lambda_api_secrets: in the table, and not planned",
    ]


# --- Rules that hold in every plan ----------------------------------------------------------------


def _all(planned: Plans, kind: str) -> Iterator[tuple[str, Values]]:
    """Yield place and values of each planned resource of a type."""
    for name, (_, by_variant) in planned.items():
        for variant, plan in by_variant.items():
            for address, values in plan.resources.items():
                if f".{kind}." in f".{address}":
                    yield f"{name}, {variant}: {address}", values


def _wrong(planned: Plans, kind: str, path: str, *right: object) -> list[str]:
    """Return the resources of a type in which a value is not among the right ones."""
    found = list(_all(planned, kind))
    assert found, f"no {kind} is planned"
    return [place for place, values in found if values.get(path) not in right]


def test_every_role_that_something_assumes_has_a_boundary(planned: Plans) -> None:
    unbounded = _wrong(planned, "aws_iam_role", "permissions_boundary", None)
    every = [place for place, _ in _all(planned, "aws_iam_role")]
    # The roles that plan need none: they create no role, by the table of rights.
    without = {place for place in every if place not in unbounded}
    assert {place.partition(": ")[2].partition("[")[0] for place in without} == {
        "aws_iam_role.plan",
        "aws_iam_role.prod_plan",
        "aws_iam_role.drift",
    }


def test_no_policy_of_a_service_allows_all_actions_of_anything(planned: Plans) -> None:
    wide = [
        (place, path, action)
        for place, values in _all(planned, "aws_iam_policy")
        if place.startswith("terraform")
        for path, value in values.items()
        if path.endswith(".Action")
        for action in ([value] if isinstance(value, str) else value)
        if "*" in action
    ]
    assert wide == []


def test_every_function_is_as_requirements_md_says(planned: Plans) -> None:
    for place, values in _all(planned, "aws_lambda_function"):
        if values["environment.variables.SERVICE_NAME"] in ("api", "chat", "s3vector"):
            assert (values["memory_size"], values["timeout"]) == (512, 30), place
        assert values["runtime"] == "python3.13", place
        assert values["publish"] is True, place


def test_a_traced_function_has_its_layer(planned: Plans) -> None:
    for place, values in _all(planned, "aws_lambda_function"):
        traced = values.get("tracing_config.mode") == "Active"
        endpoint = values.get("environment.variables.OTLP_ENDPOINT", "")
        assert (len(values.get("layers", [])) == 1) == (traced and "4318" in endpoint), place
        routed = SERVICES[values["environment.variables.SERVICE_NAME"]].route
        assert traced == routed or ", off:" in place, place


def test_every_log_group_has_a_retention(planned: Plans) -> None:
    days = {
        values.get("retention_in_days") for _, values in _all(planned, "aws_cloudwatch_log_group")
    }
    assert days == {7, 30, 365}


@pytest.mark.parametrize("actions", ["alarm_actions", "ok_actions"])
def test_every_alarm_tells_the_topic(planned: Plans, actions: str) -> None:
    topic = ["arn:aws:sns:xx-mock-1:123456789012:aws_sns_topic.alarms"]
    assert not _wrong(planned, "aws_cloudwatch_metric_alarm", actions, topic)


def test_every_usage_plan_has_a_stage_a_quota_and_a_limit(planned: Plans) -> None:
    for place, values in _all(planned, "aws_api_gateway_usage_plan"):
        assert values.get("api_stages.stage") in ENVIRONMENTS.values(), place
        assert values.get("quota_settings.limit", 0) > 0, place
        assert values.get("throttle_settings.rate_limit", 0) > 0, place


@pytest.mark.parametrize(
    "path",
    ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"],
)
def test_no_bucket_is_public(planned: Plans, path: str) -> None:
    assert not _wrong(planned, "aws_s3_bucket_public_access_block", path, True)


def test_every_bucket_is_encrypted_versioned_and_refuses_plain_http(planned: Plans) -> None:
    secured = {
        "aws_s3_bucket_server_side_encryption_configuration": (
            "rule.apply_server_side_encryption_by_default.sse_algorithm",
            "AES256",
        ),
        "aws_s3_bucket_versioning": ("versioning_configuration.status", "Enabled"),
        "aws_s3_bucket_ownership_controls": ("rule.object_ownership", "BucketOwnerEnforced"),
        "aws_s3_bucket_public_access_block": ("block_public_acls", True),
    }
    buckets = len(list(_all(planned, "aws_s3_bucket")))
    for kind, (path, right) in secured.items():
        assert not _wrong(planned, kind, path, right)
        assert len(list(_all(planned, kind))) == buckets
    policies = list(_all(planned, "aws_s3_bucket_policy"))
    assert len(policies) == buckets
    for place, values in policies:
        denial = {path.rpartition("TlsOnly.")[2]: value for path, value in values.items()}
        assert denial["Effect"] == "Deny", place
        assert denial["Condition.Bool.aws:SecureTransport"] == "false", place


def test_no_method_but_a_preflight_is_open_while_keys_are_required(planned: Plans) -> None:
    for place, values in _all(planned, "aws_api_gateway_method"):
        keyless = "preflight" in place or ", off:" in place
        assert values.get("api_key_required", False) != keyless, place


# --- The tables' own form -------------------------------------------------------------------------


def test_a_table_can_be_read_by_a_person(tmp_path: Path) -> None:
    text = text_of({"a.b[c]": {"exists": "dev", "size": {"dev": 1, "prod": [2]}}})
    assert text.count("\n") == 6
    assert json.loads(text) == {"a.b[c]": {"exists": "dev", "size": {"dev": 1, "prod": [2]}}}
