"""Both layers are applied to the embedded AWS, changed and destroyed."""

import pytest

from local.aws.iam.checks import Check
from local.aws.iam.policies import Policies
from services.declared import CONTAINERS, ROUTED
from tests.gateway_tags import request_context, resource_tags, tagged_checks, tags_arn
from tests.harness import missing
from tests.lifecycle import Lifecycle, run_lifecycle
from tests.permissions import NEVER_RECORDED, UNUSED_REASONS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(missing() is not None, reason=f"Terraform cannot run here: {missing()}"),
]

REGION = "us-east-1"
STATES = "fin-advisor-tfstate-123456789012-us-east-1"
SECRETS = f"secretsmanager:{REGION}:123456789012:secret"
FUNCTIONS = f"lambda:{REGION}:123456789012:function"
# The steps of the deploy role. An administrator applies the bootstrap layer.
DEPLOY_STEPS = ("init", "apply", "plan", "package plan", "route plan", "change", "destroy")


@pytest.fixture(scope="module")
def lifecycle(tmp_path_factory: pytest.TempPathFactory) -> Lifecycle:
    return run_lifecycle(tmp_path_factory.mktemp("life"))


def test_a_second_plan_of_each_layer_is_empty(lifecycle: Lifecycle) -> None:
    # Terraform prints this only if no output changes either.
    assert "\nNo changes. " in lifecycle.second_plan
    assert lifecycle.second_bootstrap_plan.changes() == {}


def test_after_two_rotations_a_changed_package_redeploys_its_function_and_nothing_else(
    lifecycle: Lifecycle,
) -> None:
    # The keys were rotated twice before this plan, which must not contain changes because of that.
    assert lifecycle.package_plan.changes() == {
        "module.chat.aws_lambda_function.main": ["update"],
        "module.chat.aws_lambda_alias.live": ["update"],
    }


def test_a_changed_route_redeploys_the_stage_in_place(lifecycle: Lifecycle) -> None:
    changes = lifecycle.route_plan.changes()
    assert changes["aws_api_gateway_deployment.main"] == ["create", "delete"]
    assert changes["aws_api_gateway_stage.main"] == ["update"]
    replaced = [a for a, actions in changes.items() if "delete" in actions]
    assert replaced == ["aws_api_gateway_deployment.main"]


def test_a_deploy_moves_the_alias_to_the_new_version(lifecycle: Lifecycle) -> None:
    before = lifecycle.application.outputs()["functions"]["chat"]
    after = lifecycle.outputs_after_changes["functions"]["chat"]
    assert before["live_version"] == "1"
    assert after["live_version"] == after["newest_version"] == "2"


def test_destroy_leaves_nothing_although_the_buckets_contain_objects(lifecycle: Lifecycle) -> None:
    assert lifecycle.leftovers == []


def test_bootstrap_writes_the_backend_file_that_the_application_layer_was_initialised_with(
    lifecycle: Lifecycle,
) -> None:
    bucket = lifecycle.bootstrap.outputs()["state_bucket"]
    assert f'bucket       = "{bucket}"' in lifecycle.backend_file
    stored = {c.parameters["Key"] for c in lifecycle.calls["apply"] if c.operation == "PutObject"}
    assert stored == {"dev/terraform.tfstate", "dev/terraform.tfstate.tflock"}


def test_every_service_has_the_gateways_url_with_its_stage(lifecycle: Lifecycle) -> None:
    outputs = lifecycle.application.outputs()
    functions = lifecycle.application.resources("aws_lambda_function")
    urls = {item["environment"][0]["variables"]["API_GATEWAY_URL"] for item in functions.values()}
    [runner] = lifecycle.application.resources("aws_apprunner_service").values()
    image = runner["source_configuration"][0]["image_repository"][0]["image_configuration"][0]
    urls.add(image["runtime_environment_variables"]["API_GATEWAY_URL"])
    assert urls == {outputs["api_gateway_url"]}
    assert outputs["api_gateway_url"].endswith(".amazonaws.com/dev")
    assert outputs["rest_api_id"] in outputs["api_gateway_url"]


def test_api_knows_every_other_service_behind_the_gateway(lifecycle: Lifecycle) -> None:
    functions = lifecycle.application.resources("aws_lambda_function")
    variables = functions["module.api.aws_lambda_function.main"]["environment"][0]["variables"]
    assert sorted(variables["PEER_SERVICES"].split(",")) == sorted({*ROUTED} - {"api"})


def test_every_resource_that_has_tags_says_whose_it_is(lifecycle: Lifecycle) -> None:
    """Policies and the cost report match these tags."""
    whose = {"Project": "fin-advisor", "Environment": "dev", "ManagedBy": "terraform"}
    tagged = {
        address: item["tags_all"]
        for kind in ("aws_s3_bucket", "aws_lambda_function", "aws_api_gateway_api_key")
        for address, item in lifecycle.application.resources(kind).items()
    }
    assert tagged
    assert not [address for address, tags in tagged.items() if not whose.items() <= tags.items()]


# --- Own keys -------------------------------------------------------------------------------------


def _role_of(service: str) -> str:
    kind = "apprunner" if service in CONTAINERS else "lambda"
    return f"fin-advisor-dev-{kind}-{service}"


def _service_policies(lifecycle: Lifecycle, service: str) -> Policies:
    """Return the policies that are attached to the service's role, under its boundary."""
    documents = {
        item["arn"]: item["policy"]
        for item in lifecycle.application.resources("aws_iam_policy").values()
    }
    attached = {
        item["policy_arn"]: documents[item["policy_arn"]]
        for item in lifecycle.application.resources("aws_iam_role_policy_attachment").values()
        if item["role"] == _role_of(service)
    }
    return Policies(attached, _bootstrap_policy(lifecycle, "fin-advisor-dev-boundary"))


def _bootstrap_policy(lifecycle: Lifecycle, name: str) -> str:
    found = lifecycle.bootstrap.resources("aws_iam_policy").values()
    return next(str(item["policy"]) for item in found if item["name"] == name)


@pytest.mark.parametrize("service", ROUTED)
def test_a_service_may_read_its_own_key_and_no_other(lifecycle: Lifecycle, service: str) -> None:
    secrets = {
        item["name"]: item["arn"]
        for item in lifecycle.application.resources("aws_secretsmanager_secret").values()
    }
    policies = _service_policies(lifecycle, service)
    readable = {
        name
        for name, arn in secrets.items()
        if policies.allows(Check("secretsmanager:GetSecretValue", arn))
    }
    own = {f"fin-advisor/dev/{service}/api-key"}
    if service == "runner":
        own.add("fin-advisor/dev/runner/origin")
    assert readable == own
    # Besides the services' keys: those of the clients web and ingest, and runner's origin.
    assert len(secrets) == len(ROUTED) + 3


@pytest.mark.parametrize("service", ROUTED)
def test_a_service_may_read_no_key_of_another_environment(
    lifecycle: Lifecycle, service: str
) -> None:
    name = f"fin-advisor/prod/{service}/api-key-abcdef"
    arn = f"arn:aws:secretsmanager:{REGION}:123456789012:secret:{name}"
    assert not _service_policies(lifecycle, service).allows(
        Check("secretsmanager:GetSecretValue", arn)
    )


def test_chat_may_use_its_model_in_each_region_that_its_profile_sends_to(
    lifecycle: Lifecycle,
) -> None:
    policies = _service_policies(lifecycle, "chat")
    model = "anthropic.claude-sonnet-5-5"
    profile = f"arn:aws:bedrock:{REGION}:123456789012:inference-profile/us.{model}"
    assert policies.allows(Check("bedrock:InvokeModel", profile))
    for region in ("us-east-1", "us-east-2", "us-west-2"):
        arn = f"arn:aws:bedrock:{region}::foundation-model/{model}"
        assert policies.allows(Check("bedrock:InvokeModel", arn))
    other = f"arn:aws:bedrock:{REGION}::foundation-model/amazon.nova-pro-v1:0"
    assert not policies.allows(Check("bedrock:InvokeModel", other))


def test_chat_may_write_records_and_the_sealing_function_may_read_and_seal_them(
    lifecycle: Lifecycle,
) -> None:
    bucket = f"arn:aws:s3:::{lifecycle.application.outputs()['records_bucket_name']}"
    table = lifecycle.application.outputs()["record_keys_table_name"]
    keys = f"arn:aws:dynamodb:{REGION}:123456789012:table/{table}"
    wanted = {
        "chat": {
            ("s3:PutObject", f"{bucket}/records/one.json"),
            ("dynamodb:BatchGetItem", keys),
            ("dynamodb:PutItem", keys),
        },
        "records": {
            ("s3:ListBucketVersions", bucket),
            ("s3:GetObjectVersion", f"{bucket}/records/one.json"),
            ("s3:GetObjectVersion", f"{bucket}/seals/00000001.json"),
            ("s3:PutObject", f"{bucket}/seals/00000001.json"),
        },
    }
    asked = {
        *((f"s3:{one}", bucket) for one in ("ListBucket", "ListBucketVersions")),
        *(
            (f"s3:{one}", f"{bucket}/{key}")
            for one in ("PutObject", "GetObject", "GetObjectVersion", "DeleteObject")
            for key in ("records/one.json", "seals/00000001.json")
        ),
        *(
            (f"dynamodb:{one}", keys)
            for one in ("BatchGetItem", "PutItem", "DeleteItem", "UpdateItem", "Query")
        ),
    }
    for service, expected in wanted.items():
        policies = _service_policies(lifecycle, service)
        assert {one for one in asked if policies.allows(Check(*one))} == expected, service


# --- Rotation -------------------------------------------------------------------------------------

GATEWAY = f"arn:aws:apigateway:{REGION}::"


def _tags(environment: str, managed_by: str = "rotation") -> dict[str, str]:
    return {"Project": "fin-advisor", "Environment": environment, "ManagedBy": managed_by}


def _resource_context(tags: dict[str, str]) -> dict[str, str]:
    return {f"aws:ResourceTag/{key}": value for key, value in tags.items()}


def test_rotation_may_do_all_that_its_rotations_did(lifecycle: Lifecycle) -> None:
    policies = _service_policies(lifecycle, "rotation")
    calls = lifecycle.calls["rotation"]
    # Terraform's state does not contain the keys that the rotations made.
    made = {call.path: _tags("dev") for call in calls if call.path.startswith("/apikeys/")}
    tags = {**made, **resource_tags(lifecycle.application)}
    checks = [check for call in calls for check in tagged_checks(call, REGION, tags)]
    assert len(checks) > 100
    refused = sorted({f"{c.action} on {c.resource}" for c in checks if not policies.allows(c)})
    assert not refused, "\n".join(["The rotation function lacks:", *refused])


@pytest.mark.parametrize(
    ("action", "path", "context"),
    [
        ("GET", "/apikeys", {}),
        ("GET", "/apikeys/one", _resource_context(_tags("prod"))),
        ("PATCH", "/apikeys/one", _resource_context(_tags("prod"))),
        ("DELETE", "/apikeys/one", _resource_context(_tags("prod"))),
        ("DELETE", "/apikeys/one", _resource_context(_tags("dev", "terraform"))),
        ("GET", "/apikeys/one", {}),
        ("GET", "/usageplans/one/keys", _resource_context(_tags("prod"))),
        ("POST", "/apikeys", request_context(_tags("prod"))),
    ],
)
def test_rotation_may_not(
    lifecycle: Lifecycle, action: str, path: str, context: dict[str, str]
) -> None:
    policies = _service_policies(lifecycle, "rotation")
    assert not policies.allows(Check(f"apigateway:{action}", f"{GATEWAY}{path}", context))


@pytest.mark.parametrize(
    "present", [_tags("prod"), _tags("prod", "terraform"), _tags("dev", "terraform")]
)
def test_rotation_may_not_tag_a_key_of_others_as_its_own(
    lifecycle: Lifecycle, present: dict[str, str]
) -> None:
    """It takes both permissions, and AWS does not document that the second one sees the tags."""
    policies = _service_policies(lifecycle, "rotation")
    key, wanted = f"{GATEWAY}/apikeys/one", request_context(_tags("dev"))
    context = {**_resource_context(present), **wanted}
    assert not policies.allows(Check("apigateway:PATCH", key, context))
    assert not policies.allows(Check("apigateway:PUT", tags_arn(key), context))
    assert policies.allows(Check("apigateway:PUT", tags_arn(key), wanted))  # A new key.


def test_each_creation_in_api_gateway_sends_the_environments_tag(lifecycle: Lifecycle) -> None:
    created = [
        call
        for call in (*lifecycle.calls["apply"], *lifecycle.calls["rotation"])
        if call.operation in {"CreateApiKey", "CreateRestApi", "CreateStage", "CreateUsagePlan"}
    ]
    assert len({call.operation for call in created}) == 4
    assert {call.parameters["tags"]["Environment"] for call in created} == {"dev"}


# --- The deploy role ------------------------------------------------------------------------------


def _deploy_policies(lifecycle: Lifecycle, role: str) -> Policies:
    documents = {
        item["name"]: item["policy"]
        for item in lifecycle.bootstrap.resources("aws_iam_policy").values()
        if item["name"].startswith(f"{role}-") and not item["name"].endswith("-boundary")
    }
    boundary = None if role.endswith("-plan") else _bootstrap_policy(lifecycle, f"{role}-boundary")
    return Policies(documents, boundary)


def _checks(lifecycle: Lifecycle, *steps: str) -> set[Check]:
    return {
        check
        for step in steps
        for call in lifecycle.calls[step]
        for check in tagged_checks(call, REGION, resource_tags(lifecycle.application))
    }


def test_the_deploy_role_may_do_all_that_plan_apply_and_destroy_do(lifecycle: Lifecycle) -> None:
    policies = _deploy_policies(lifecycle, "fin-advisor-dev-deploy")
    checks = _checks(lifecycle, *DEPLOY_STEPS)
    assert len(checks) > 300
    refused = sorted(f"{c.action} on {c.resource}" for c in checks if not policies.allows(c))
    assert not refused, "\n".join(["The deploy role lacks:", *refused])


def test_the_deploy_role_has_the_permissions_that_are_never_recorded(lifecycle: Lifecycle) -> None:
    policies = _deploy_policies(lifecycle, "fin-advisor-dev-deploy")
    refused = [
        f"{entry.check.action} on {entry.check.resource} ({entry.source})"
        for entry in NEVER_RECORDED
        if not policies.allows(entry.check)
    ]
    assert not refused, "\n".join(["The deploy role lacks:", *refused])


def test_each_unused_permission_has_a_reason(lifecycle: Lifecycle) -> None:
    policies = _deploy_policies(lifecycle, "fin-advisor-dev-deploy")
    used = policies.used(_checks(lifecycle, *DEPLOY_STEPS))
    unused = sorted(f"{g.sid} {g.action}" for g in policies.grants() if g not in used)
    print("Granted and not used by this deploy:", *unused, sep="\n  ")
    unexplained = [
        grant for grant in unused if not any(pattern.fullmatch(grant) for pattern in UNUSED_REASONS)
    ]
    assert not unexplained, "\n".join(["Granted without a reason in UNUSED_REASONS:", *unexplained])


def test_the_plan_role_may_plan_and_change_nothing(lifecycle: Lifecycle) -> None:
    policies = _deploy_policies(lifecycle, "fin-advisor-plan")
    # The recorded plan writes and deletes the lock. The plan role plans with `-lock=false`.
    needed = {c for c in _checks(lifecycle, "init", "plan") if not c.resource.endswith(".tflock")}
    refused = sorted(f"{c.action} on {c.resource}" for c in needed if not policies.allows(c))
    assert not refused, "\n".join(["The plan role lacks:", *refused])
    changing = {
        c
        for c in _checks(lifecycle, "apply", "change", "destroy")
        if c.action.partition(":")[2].startswith(("Create", "Put", "Update", "Delete", "POST"))
    }
    assert len(changing) > 100
    assert not [c for c in changing if policies.allows(c)]


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("iam:CreateRole", "iam::123456789012:role/fin-advisor-dev-lambda-more"),
        ("iam:AttachRolePolicy", "iam::123456789012:role/fin-advisor-dev-deploy"),
        ("iam:PassRole", "iam::123456789012:role/fin-advisor-prod-lambda-api"),
        ("iam:CreatePolicyVersion", "iam::123456789012:policy/fin-advisor/bootstrap/x"),
        ("iam:DeleteRolePermissionsBoundary", "iam::123456789012:role/fin-advisor-dev-lambda-api"),
        ("s3:GetObject", f"s3:::{STATES}/prod/terraform.tfstate"),
        ("s3:DeleteBucket", f"s3:::{STATES}"),
        ("secretsmanager:GetSecretValue", f"{SECRETS}:fin-advisor/prod/api/api-key-abcdef"),
        ("lambda:UpdateFunctionCode", f"{FUNCTIONS}:fin-advisor-prod-api"),
        ("lambda:UpdateFunctionCode", f"{FUNCTIONS}:other"),
    ],
)
def test_the_deploy_role_of_dev_may_not(lifecycle: Lifecycle, action: str, resource: str) -> None:
    context = {
        "iam:PolicyARN": "arn:aws:iam::123456789012:policy/fin-advisor/dev/any",
        "iam:PassedToService": "lambda.amazonaws.com",
    }
    policies = _deploy_policies(lifecycle, "fin-advisor-dev-deploy")
    assert not policies.allows(Check(action, f"arn:aws:{resource}", context))
