"""The plain peer, traced by OpenTelemetry's SDK and FastAPIInstrumentor with their defaults."""

import os
from typing import Any

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from benchmarks.peers.plain.handler import app
from benchmarks.peers.plain.handler import handler as untraced

provider = TracerProvider(resource=Resource.create({"service.name": os.environ["SERVICE_NAME"]}))
provider.add_span_processor(
    BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{os.environ['OTLP_ENDPOINT']}/v1/traces"))
)
trace.set_tracer_provider(provider)
FastAPIInstrumentor.instrument_app(app)


def handler(event: dict[str, Any], context: Any) -> Any:
    """Answer an event, and export its spans before Lambda freezes the environment."""
    try:
        return untraced(event, context)
    finally:
        provider.force_flush()
