"""Traces by OpenTelemetry, over OTLP when an endpoint is set; nothing at all when none is."""

from contextlib import AbstractContextManager

from fastapi import FastAPI
from opentelemetry import propagate, trace
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


def traceparent() -> str | None:
    """The current trace in W3C form, to be kept beside work that is done later."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier.get("traceparent")


def continued_from(parent: str | None, name: str) -> AbstractContextManager[trace.Span]:
    """A span called `name` in the trace that `traceparent` told of earlier."""
    context = propagate.extract({"traceparent": parent} if parent else {})
    return trace.get_tracer("servicekit").start_as_current_span(name, context=context)
