"""Traces by OpenTelemetry, over OTLP when an endpoint is set; nothing at all when none is."""

from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio

from servicekit.settings import Settings

UNTRACED = "/livez,/readyz"


def configure(service: str, settings: Settings) -> bool:
    """Set up the exporter if the environment names one; tell whether it did."""
    if settings.otel_exporter_otlp_endpoint is None:
        return False
    provider = TracerProvider(
        resource=Resource.create(
            {"service.name": service, "service.version": settings.service_version}
        ),
        sampler=ParentBasedTraceIdRatio(settings.otel_sample_ratio),
    )
    endpoint = f"{settings.otel_exporter_otlp_endpoint.rstrip('/')}/v1/traces"
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint)))
    trace.set_tracer_provider(provider)
    HTTPXClientInstrumentor().instrument()
    return True


def instrument(app: FastAPI) -> None:
    """A span for each request of `app`; its ASGI messages get none, they would be half the cost."""
    FastAPIInstrumentor.instrument_app(
        app, excluded_urls=UNTRACED, exclude_spans=["receive", "send"]
    )
