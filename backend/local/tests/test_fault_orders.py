"""The texts that order faults, and which requests get them."""

import pytest

from local.faults import TARGETS, Fault, Faults, parse_fault, single_faults
from local.options import parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("s3:error=503", {"target": "s3", "error": 503}),
        ("bedrock:latency=0.5,rate=0.2", {"latency_seconds": 0.5, "rate": 0.2}),
        ("bedrock/converse:latency=1,error=429", {"latency_seconds": 1, "error": 429}),
        ("gateway:reset,times=3", {"reset": True, "times": 3}),
        ("chat:truncate", {"truncate": True}),
        ("runner:hang", {"hang_seconds": 60}),
        ("secretsmanager:hang=2.5", {"hang_seconds": 2.5}),
    ],
)
def test_a_fault_is_read(text: str, expected: dict[str, object]) -> None:
    fault = parse_fault(text)
    assert {name: getattr(fault, name) for name in expected} == expected
    assert fault.target == text.partition(":")[0]
    assert fault.text == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "''"),
        ("mars:reset", "'mars'"),
        ("s3", "''"),
        ("s3:", "''"),
        ("s3:explode", "explode"),
        ("s3:error", "error"),
        ("s3:error=200", "error=200"),
        ("s3:error=nan", "error=nan"),
        ("s3:latency=-1", "latency=-1"),
        ("s3:latency=inf", "latency=inf"),
        ("s3:latency=" + "9" * 5000, "latency=9"),
        ("s3:reset=1", "reset=1"),
        ("s3:error=500,reset", "choose one"),
        ("s3:rate=0.5", "say what happens"),
        ("s3:reset,rate=2", "rate=2"),
        ("s3:reset,times=0", "times=0"),
    ],
)
def test_a_wrong_order_is_refused_with_what_is_expected(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        parse_fault(text)
    assert len(str(caught.value)) < 400


def test_each_service_can_fail() -> None:
    for target in TARGETS:
        assert parse_fault(f"{target}:reset").target == target


def test_the_single_faults_fail_every_request_to_each_target_in_each_way() -> None:
    faults = [parse_fault(text) for text in single_faults()]
    assert {fault.target for fault in faults} == set(TARGETS)
    assert {fault.rate for fault in faults} == {1.0}
    for target in TARGETS:
        own = [parse_fault(text) for text in single_faults(target)]
        assert {fault.target for fault in own} == {target}
        for kind in ("latency_seconds", "error", "reset", "truncate", "hang_seconds"):
            assert any(getattr(fault, kind) for fault in own), kind


def test_the_command_line_takes_several_faults_and_names_wrong_ones() -> None:
    options, wrong = parse(["--fault", "s3:reset", "--fault", "chat:error=503"])
    assert [fault.text for fault in options.faults] == ["s3:reset", "chat:error=503"]
    assert wrong == []
    options, wrong = parse(["--fault", "mars:reset", "--fault"])
    assert len(wrong) > 0
    assert "mars" in parse(["--fault", "mars:reset"])[1][0]


def test_a_fault_of_bedrock_goes_with_the_stand_in_only() -> None:
    arguments = ["--bedrock", "aws", "--fault", "bedrock:error=503"]
    assert "stand-in" in parse(arguments)[1][0]


def test_requests_to_other_targets_do_not_fail() -> None:
    faults = Faults([Fault("s3", reset=True)])
    assert faults.draw("bedrock", "bedrock/invoke") is None
    assert faults.draw("s3") is not None


def test_a_fault_ends_after_its_number_of_requests() -> None:
    faults = Faults([parse_fault("s3:reset,times=2")])
    assert [faults.draw("s3") is not None for _ in range(4)] == [True, True, False, False]
    assert faults.as_dict()["faults"] == []


def test_a_rate_is_a_share_of_the_requests() -> None:
    faults = Faults([parse_fault("s3:reset,rate=0.5")])
    hit = sum(faults.draw("s3") is not None for _ in range(2000))
    assert 850 < hit < 1150
    faults = Faults([parse_fault("s3:reset,rate=0")])
    assert all(faults.draw("s3") is None for _ in range(100))


def test_requests_are_counted_until_the_faults_are_cancelled() -> None:
    faults = Faults()
    faults.draw("bedrock", "bedrock/invoke")
    faults.draw("bedrock", "bedrock/converse")
    assert faults.as_dict()["requests"] == {
        "bedrock": 2,
        "bedrock/invoke": 1,
        "bedrock/converse": 1,
    }
    faults.clear()
    assert faults.as_dict() == {"faults": [], "requests": {}}
