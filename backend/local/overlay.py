"""The environment variables that differ between the cloud and this machine: endpoints and
credentials.
"""

import json
import os
from dataclasses import dataclass

from local.aws.server import TEST_CREDENTIALS
from local.blueprint import REGION
from local.net.proxies import proxies_except_loopback
from local.net.sockets import HOST
from local.options import is_loopback

_CALLS_BEDROCK = frozenset(["chat", "s3vector"])
_SET_BY_THE_ESTATE = ("AWS_ENDPOINT", "AWS_LAMBDA", "AWS_EXECUTION")

WRAPPER_VARIABLES = {
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    "OTEL_PROPAGATORS": "tracecontext,baggage,xray-lambda",
    "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "fastapi",
    "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
    "OTEL_INSTRUMENTATION_AWS_LAMBDA_FLUSH_TIMEOUT": "250",
    "OTEL_METRICS_EXPORTER": "none",
    "OTEL_LOGS_EXPORTER": "none",
}
"""What Terraform sets where `tracing_mode` is "auto" (terraform/locals.tf says why)."""

RELEVANCE_THRESHOLD = "0.089"
"""For the embeddings of the local stand-in, which has the model id of Titan but not its scores.

At this value, one of the evaluation's 123 answerable questions is refused. Of 30 questions about
something else, 11 pass, because unrelated texts often share a hash. docs/retrieval.md says more.
"""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The URLs of this machine's parts. Functions send spans to `otlp`, web services to
    `otlp_grpc`; both are None if tracing is off.
    """

    api: str
    aws: str
    otlp: str | None = None
    otlp_grpc: str | None = None


def web_overlay(endpoints: Endpoints, *, service: str, bedrock: str) -> dict[str, str]:
    """The variables that override a web service's own. Spans go out by gRPC, as on App Runner."""
    variables = overlay(endpoints, service=service, bedrock=bedrock) | {
        "BIND_HOST": HOST,
        "ALLOWED_HOSTS": json.dumps([HOST, "localhost"]),
    }
    if endpoints.otlp and endpoints.otlp_grpc:
        variables["OTLP_ENDPOINT"] = endpoints.otlp_grpc
        variables["OTEL_EXPORTER_OTLP_PROTOCOL"] = "grpc"  # the default only on port 4317
    return variables


def wrapper_overlay(endpoints: Endpoints) -> dict[str, str]:
    """The variables that override those of a function behind a layer's wrapper."""
    return {**WRAPPER_VARIABLES, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoints.otlp or ""}


def overlay(endpoints: Endpoints, *, service: str, bedrock: str) -> dict[str, str]:
    """The variables that override those of the function of `service`.

    With `bedrock` "aws" the service gets the user's AWS credentials and proxies, and calls the real
    Amazon Bedrock. With a URL, the services that call Bedrock call that server, with test
    credentials. Every other AWS API stays local.
    """
    variables = {
        "API_GATEWAY_URL": endpoints.api,
        "AWS_ENDPOINT_URL": endpoints.aws,
        "AWS_EC2_METADATA_DISABLED": "true",
        "ENABLE_TRACING": "true" if endpoints.otlp else "false",
    }
    if service == "api":
        # Pages of every port of this machine; the gateway refuses the others before.
        variables["CORS_ORIGINS"] = "*"
    if endpoints.otlp:
        variables["OTLP_ENDPOINT"] = endpoints.otlp
    if bedrock == "aws":
        return _own_account() | variables
    if bedrock == "local" and service == "chat":
        variables["RELEVANCE_THRESHOLD"] = RELEVANCE_THRESHOLD
    no_files = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    variables |= TEST_CREDENTIALS | no_files
    if bedrock != "local" and service in _CALLS_BEDROCK:
        if not is_loopback(bedrock):
            variables |= proxies_except_loopback(os.environ)
        variables["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"] = bedrock
    return variables


def _own_account() -> dict[str, str]:
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or REGION
    own = {
        name: value
        for name, value in os.environ.items()
        if name.startswith("AWS_") and not name.startswith(_SET_BY_THE_ESTATE)
    }
    endpoint = f"https://bedrock-runtime.{region}.amazonaws.com"
    proxies = proxies_except_loopback(os.environ)
    return own | proxies | {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": endpoint}
