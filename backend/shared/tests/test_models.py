"""The response bodies that all services share keep their form."""

import pytest
from pydantic import BaseModel, ValidationError

from shared.logging import request_context
from shared.models import (
    ErrorResponse,
    HealthResponse,
    InterServiceResponse,
    ServiceInfo,
    StatusResponse,
    error_responses,
)


def test_an_error_contains_the_request_id_and_the_time() -> None:
    token = request_context.bind(request_context.RequestContext("r-1"))
    body = ErrorResponse(error="not_found", detail="No.").model_dump()
    request_context.reset(token)
    assert body.pop("timestamp").endswith("Z")
    assert body == {"error": "not_found", "detail": "No.", "request_id": "r-1"}


def test_the_health_of_several_services_is_one_body() -> None:
    body = InterServiceResponse(
        service="api",
        healthy=False,
        trace_id="a" * 32,
        services={
            "chat": ServiceInfo(service="chat", healthy=True, status=200, duration=0.01),
            "runner": ServiceInfo(
                service="runner", healthy=False, duration=3, error="call_timeout"
            ),
        },
    )
    dumped = body.model_dump()
    assert dumped["services"]["runner"]["error"] == "call_timeout"
    assert dumped["services"]["chat"]["status"] == 200
    assert dumped["request_id"]


@pytest.mark.parametrize(
    "model", [ErrorResponse, HealthResponse, StatusResponse, ServiceInfo, InterServiceResponse]
)
def test_bodies_are_immutable_documented_and_reject_unknown_fields(model: type[BaseModel]) -> None:
    assert model.model_config["frozen"]
    assert model.__doc__
    assert model.model_json_schema()["additionalProperties"] is False


def test_a_negative_duration_or_an_unknown_status_is_refused() -> None:
    with pytest.raises(ValidationError):
        ServiceInfo(service="x", healthy=True, duration=-1)
    with pytest.raises(ValidationError):
        HealthResponse(status="fine", service="x", environment="y")


def test_error_responses_document_a_route() -> None:
    assert error_responses(404, 409) == {
        404: {"model": ErrorResponse},
        409: {"model": ErrorResponse},
    }
