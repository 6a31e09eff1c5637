"""Whole rotations and interrupted ones, against moto's Secrets Manager and API Gateway."""

import pytest

from rotation import handler as entry
from rotation.secret import RotationError
from rotation.tests.conftest import MakeEstate

STEPS = ("create", "set", "test", "finish")


def test_rotation_replaces_the_key_and_the_previous_one_keeps_working(
    make_estate: MakeEstate,
) -> None:
    estate = make_estate()
    before = estate.value()

    version = estate.rotate()

    after = estate.value()
    assert after != before
    assert estate.value("AWSPREVIOUS") == before
    assert estate.call(after) == 200
    assert estate.call(before) == 200
    assert estate.stages()[version] == ["AWSCURRENT"]
    made = estate.keys()[after]
    assert made["name"] == f"{estate.project}-dev-api-{version[:8]}"
    assert made["tags"] == {
        "Project": estate.project,
        "Environment": "dev",
        "Service": "api",
        "ManagedBy": "rotation",
    }


def test_second_rotation_disables_terraforms_key_and_never_deletes_it(
    make_estate: MakeEstate,
) -> None:
    estate = make_estate()
    terraforms = estate.value()

    estate.rotate()
    estate.rotate()

    assert estate.keys()[terraforms]["enabled"] is False
    assert estate.call(terraforms) == 403
    assert estate.call(estate.value()) == 200
    assert estate.call(estate.value("AWSPREVIOUS")) == 200


def test_third_rotation_deletes_the_key_of_the_first(make_estate: MakeEstate) -> None:
    estate = make_estate()
    terraforms = estate.value()
    values = []
    for _ in range(3):
        estate.rotate()
        values.append(estate.value())

    assert set(estate.keys()) == {terraforms, *values[1:]}


def test_terraforms_staging_label_stays_where_it_is(make_estate: MakeEstate) -> None:
    estate = make_estate()
    first = next(iter(estate.stages()))
    estate.stored.versions[first]["version_stages"].append("TERRAFORM")

    estate.rotate()
    estate.rotate()

    assert estate.stages()[first] == ["TERRAFORM"]


def test_services_know_a_new_key_before_it_is_used_and_until_it_is_retired(
    make_estate: MakeEstate,
) -> None:
    estate = make_estate()
    terraforms = estate.terraform_key["id"]
    version = estate.begin()
    estate.step("create", version)
    assert estate.ids() == {"api": [terraforms]}
    estate.step("set", version)
    first = estate.keys()[estate.value("AWSPENDING")]["id"]
    assert estate.ids() == {"api": [terraforms, first]}
    estate.step("test", version)
    estate.step("finish", version)
    estate.rotate()
    second = estate.keys()[estate.value()]["id"]
    assert estate.ids() == {"api": [terraforms, *sorted([first, second])]}
    estate.rotate()
    third = estate.keys()[estate.value()]["id"]
    assert estate.ids() == {"api": [terraforms, *sorted([second, third])]}


@pytest.mark.parametrize("overwritten", ['{"api": []}', "not JSON"])
def test_the_hourly_task_repairs_the_ids_that_a_slower_writer_overwrote(
    make_estate: MakeEstate, overwritten: str
) -> None:
    estate = make_estate()
    estate.rotate()
    ids = estate.ids()
    assert len(ids["api"]) == 2
    estate.ssm.put_parameter(Name=estate.parameter, Value=overwritten, Overwrite=True)
    estate.usage = {}
    entry.handler({"task": "publish-quota"}, None)
    assert estate.ids() == ids


def test_every_step_repeated_gives_the_same_as_once(make_estate: MakeEstate) -> None:
    estate = make_estate()
    estate.rotate()
    version = estate.begin()
    for name in STEPS[:3]:
        for _ in range(3):
            estate.step(name, version)
    pending = estate.value("AWSPENDING")
    for _ in range(3):
        estate.step("finish", version)
    for name in STEPS:  # Secrets Manager may deliver a step late
        estate.step(name, version)

    assert estate.value() == pending
    assert len(estate.keys()) == 3  # Terraform's, the previous and the current one
    assert estate.call(estate.value("AWSPREVIOUS")) == 200


@pytest.mark.parametrize("attached", [True, False])
def test_a_key_of_an_attempt_that_died_is_used_by_the_next_if_it_was_in_the_plan(
    make_estate: MakeEstate, attached: bool
) -> None:
    """createSecret ended after adding the key to its usage plan, or before.

    A key without a plan cannot be found without the right to list every key of the account.
    """
    estate = make_estate()
    version = estate.begin()
    orphan = estate.apigateway.create_api_key(
        name=f"{estate.project}-dev-api-{version[:8]}",
        enabled=True,
        tags={"Service": "api", "ManagedBy": "rotation"},
    )
    if attached:
        estate.attach(orphan)
    for name in STEPS:
        estate.step(name, version)

    assert (estate.value() == orphan["value"]) == attached
    assert estate.call(orphan["value"]) == (200 if attached else 403)


def test_an_attempt_that_died_after_promoting_is_finished_by_the_next(
    make_estate: MakeEstate,
) -> None:
    """finishSecret ended between moving the label and retiring the old key."""
    estate = make_estate()
    terraforms = estate.value()
    first = estate.rotate()
    version = estate.begin()
    for name in STEPS[:3]:
        estate.step(name, version)
    estate.secrets.update_secret_version_stage(
        SecretId=estate.arn,
        VersionStage="AWSCURRENT",
        MoveToVersionId=version,
        RemoveFromVersionId=first,
    )
    estate.step("finish", version)

    assert estate.keys()[terraforms]["enabled"] is False
    assert estate.call(estate.value()) == 200
    assert estate.call(estate.value("AWSPREVIOUS")) == 200


def test_keys_of_rotations_that_were_given_up_are_deleted(make_estate: MakeEstate) -> None:
    estate = make_estate()
    given_up = estate.begin()
    estate.step("create", given_up)
    lost = estate.value("AWSPENDING")

    estate.rotate()

    assert lost not in set(estate.keys())


def test_keys_of_others_are_left_alone(make_estate: MakeEstate) -> None:
    estate = make_estate()
    by_hand = estate.apigateway.create_api_key(name=f"{estate.project}-dev-api-more")
    estate.attach(by_hand)
    foreign = [
        estate.apigateway.create_api_key(name=f"{estate.project}-dev-{name}", tags=tags)["value"]
        for name, tags in [
            ("api-by-hand", {}),
            ("api-archive-12345678", {"Service": "api-archive", "ManagedBy": "rotation"}),
        ]
    ]
    for _ in range(3):
        estate.rotate()

    assert {by_hand["value"], *foreign} <= set(estate.keys())


def test_a_step_without_its_key_in_the_plan_names_the_plan(make_estate: MakeEstate) -> None:
    estate = make_estate()
    version = estate.begin()
    estate.step("create", version)
    made = estate.keys()[estate.value("AWSPENDING")]
    estate.apigateway.delete_usage_plan_key(usagePlanId=estate.plan, keyId=made["id"])

    with pytest.raises(RotationError, match=f"usage plan {estate.plan} has no key"):
        estate.step("set", version)


def test_a_new_key_that_is_refused_for_a_while_passes(make_estate: MakeEstate) -> None:
    estate = make_estate(refusals=5)
    version = estate.begin()
    estate.step("create", version)
    estate.step("set", version)
    estate.step("test", version)

    assert len(estate.gateway.calls) >= 7
    assert {path for path, _ in estate.gateway.calls} == {"/dev/api/health"}


def test_a_key_that_stays_refused_is_not_promoted(make_estate: MakeEstate) -> None:
    estate = make_estate(refusals=1_000_000)
    before = estate.value()
    version = estate.begin()
    estate.step("create", version)
    estate.step("set", version)
    with pytest.raises(RotationError, match=r"answered 403 after \d+ calls") as caught:
        estate.step("test", version, seconds=8.5)

    assert estate.value() == before
    assert estate.value("AWSPENDING") not in str(caught.value)


def test_a_failing_service_behind_the_gateway_does_not_block_a_rotation(
    make_estate: MakeEstate,
) -> None:
    estate = make_estate(broken=502)
    before = estate.value()

    estate.rotate()

    assert estate.value() != before


def test_test_step_alone_on_a_version_without_a_key_passes(make_estate: MakeEstate) -> None:
    """Terraform enables rotation with `rotate_immediately = false`."""
    estate = make_estate()
    version = estate.begin()
    estate.step("test", version)
    estate.stored.versions[version]["secret_string"] = estate.value()  # as in moto
    estate.step("test", version)

    assert estate.gateway.calls == []


def test_nothing_is_promoted_when_the_new_key_is_gone(make_estate: MakeEstate) -> None:
    estate = make_estate()
    before = estate.value()
    version = estate.begin()
    for name in STEPS[:3]:
        estate.step(name, version)
    estate.apigateway.delete_api_key(apiKey=estate.keys()[estate.value("AWSPENDING")]["id"])

    with pytest.raises(RotationError, match="gone or disabled"):
        estate.step("finish", version)
    assert estate.value() == before


def test_refuses_versions_and_secrets_that_do_not_fit(make_estate: MakeEstate) -> None:
    estate = make_estate()
    old = next(iter(estate.stages()))
    estate.rotate()
    estate.rotate()
    with pytest.raises(RotationError, match="no version"):
        estate.step("create", "00000000-0000-0000-0000-000000000000")
    estate.stored.versions[old]["version_stages"] = ["OTHER"]
    with pytest.raises(RotationError, match="not pending"):
        estate.step("create", old)
    with pytest.raises(RotationError, match="none of"):
        estate.step("destroy", estate.begin())
    estate.stored.rotation_enabled = False
    with pytest.raises(RotationError, match="not enabled"):
        estate.step("create", estate.begin())


def test_refuses_the_secret_of_another_estate(make_estate: MakeEstate) -> None:
    other = make_estate()
    mine = make_estate()
    mine.arn = other.arn
    with pytest.raises(RotationError, match="USAGE_PLAN_IDS"):
        mine.step("create", other.begin())


def test_no_log_line_contains_a_key(
    make_estate: MakeEstate, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    estate = make_estate(refusals=2)
    seen = [estate.value()]
    for _ in range(2):
        estate.rotate()
        seen.append(estate.value())
    estate.refusals = 1_000_000
    version = estate.begin()
    estate.step("create", version)
    estate.step("set", version)
    with pytest.raises(RotationError):
        estate.step("test", version, seconds=8.2)
    seen.append(estate.value("AWSPENDING"))

    written = b"".join(capfdbinary.readouterr())
    assert b"rotation_key_promoted" in written
    assert b"rotation_step_failed" in written
    for value in seen:
        assert value.encode() not in written


@pytest.mark.parametrize("event", [{}, {"test": "secrets"}, [], None, {"Step": 1}])
def test_other_events_get_a_clear_error_object(make_estate: MakeEstate, event: object) -> None:
    make_estate()
    answer = entry.handler(event, None)

    assert answer["error"] == "invalid_request"
    assert "publish-quota" in answer["detail"]
