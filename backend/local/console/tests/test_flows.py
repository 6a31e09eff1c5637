"""Flows are counted from the gateway's record and from spans of AWS's services."""

from local.console.flows import Flows
from local.console.models import Flow
from local.gateway.hops import Hop, Hops
from local.traces.spans import Span

NOW = 1_000_000.0


def hop(caller: str, service: str, status: int = 200, *, ago: float = 1.0) -> Hop:
    return Hop("r", "t", caller, service, "GET", "/", status, NOW - ago, duration_ms=10.0)


def aws_call(service: str, status: str = "UNSET", code: int = 200) -> Span:
    attributes = {
        "rpc.system": "aws-api",
        "rpc.service": service,
        "http.response.status_code": code,
    }
    end = int(NOW * 1e9)
    return Span("t", "s", "", "chat", "x", "CLIENT", end - 5_000_000, end, status, attributes)


def found(flows: Flows, caller: str, target: str) -> Flow:
    [flow] = [one for one in flows.latest(NOW) if (one.caller, one.target) == (caller, target)]
    return flow


def test_requests_of_the_last_minute_are_counted_by_caller_and_target() -> None:
    hops = Hops()
    flows = Flows(hops)
    for one in (hop("client", "api"), hop("client", "api", 502), hop("client", "api", ago=61)):
        hops.add(one)
    hops.add(hop("", "", 403))
    flow = found(flows, "client", "api")
    assert (flow.requests, flow.errors, flow.median_ms) == (2, 1, 10.0)
    assert found(flows, "anonymous", "gateway").errors == 0


def test_calls_of_aws_are_counted_and_expected_answers_are_no_errors() -> None:
    flows = Flows(Hops())
    flows.add([aws_call("Bedrock Runtime"), aws_call("S3", "ERROR", 304)])
    flows.add([aws_call("S3", "ERROR", 503)])
    assert found(flows, "chat", "bedrock").requests == 1
    assert (found(flows, "chat", "s3").requests, found(flows, "chat", "s3").errors) == (2, 1)


def test_a_declared_flow_is_shown_before_its_first_request_and_a_known_one_after_it() -> None:
    hops = Hops()
    flows = Flows(hops)
    assert found(flows, "api", "chat").requests == 0
    hops.add(hop("guest", "api", ago=0))
    flows.latest(NOW)
    [kept] = [one for one in flows.latest(NOW + 100) if one.caller == "guest"]
    assert kept.requests == 0
