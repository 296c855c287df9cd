"""Traces by OpenTelemetry, over OTLP when an endpoint is set; nothing at all when none is."""

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from fastapi import FastAPI
from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.httpx import HTTPX2ClientInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased
from opentelemetry.trace import SpanKind
from starlette.types import ASGIApp

from servicekit.redaction import RedactingExporter, drop_query, drop_query_of_call
from servicekit.sampling import (
    Attributes,
    Failed,
    HeadSampling,
    Ids,
    Unsampled,
    WhatBegins,
    fail,
)
from servicekit.settings import Settings


class Instrumentor(Protocol):
    """An instrumentation of a library, as all of OpenTelemetry's are."""

    def instrument(self) -> None:
        """Let the library make spans from now on."""


def configure(service: str, settings: Settings, traced: Sequence[Instrumentor] = ()) -> bool:
    """Set up the exporter if the environment names one; tell whether it did.

    `traced` are the instrumentations of what the service itself calls, such as its database.
    """
    if settings.otel_exporter_otlp_endpoint is None:
        return False
    # Without this the instrumentations still use the names from before the conventions were
    # stable: https://opentelemetry.io/docs/specs/semconv/http/
    os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http,database")
    resource = {"service.name": service, "service.version": settings.service_version}
    provider = TracerProvider(
        ParentBased(WhatBegins()), Resource.create(resource), id_generator=Ids()
    )
    endpoint = f"{settings.otel_exporter_otlp_endpoint.rstrip('/')}/v1/traces"
    exporter = RedactingExporter(OTLPSpanExporter(endpoint))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    instrument_calls()
    for instrumentor in traced:
        instrumentor.instrument()
    return True


def instrument_calls() -> None:
    """A span for each call by an httpx2 client, made before or later; the trace goes with it."""
    HTTPX2ClientInstrumentor().instrument(async_request_hook=drop_query_of_call)


def instrument(app: FastAPI, ratio: float, *, trusts_callers: bool = True) -> None:
    """A span for each request of `app` that is sampled or fails; its ASGI messages get none.

    `ratio` is the share of new traces that are kept; a caller's trace goes on as the caller chose,
    unless callers are not to be trusted: then every trace begins here.
    """
    plain = app.build_middleware_stack
    FastAPIInstrumentor.instrument_app(
        app, exclude_spans=["receive", "send"], server_request_hook=drop_query
    )
    traced = app.build_middleware_stack

    def build() -> ASGIApp:
        return HeadSampling(plain(), traced(), ratio, trusts_callers=trusts_callers)

    app.build_middleware_stack = build  # type: ignore[method-assign]


def span(
    name: str,
    kind: SpanKind = SpanKind.INTERNAL,
    attributes: Attributes | None = None,
) -> AbstractContextManager[trace.Span]:
    """A span for what no instrumentation knows; an exception that leaves it is its error."""
    return trace.get_tracer(__name__).start_as_current_span(name, None, kind, attributes)


def traceparent() -> str | None:
    """The current trace in W3C form, to be kept beside work that is done later."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier.get("traceparent")


@contextmanager
def continued_from(parent: str | None, name: str, attributes: Attributes) -> Iterator[Failed]:
    """A span called `name` in the trace that `traceparent` told of earlier.

    Yields what takes the error when the work fails; it is told even where nothing is recorded.
    """
    earlier = propagate.extract({"traceparent": parent} if parent else {})
    above = trace.get_current_span(earlier).get_span_context()
    if above.is_valid and not above.trace_flags.sampled:
        work = Unsampled(earlier)
        with work.current():
            yield lambda error: work.failed(name, SpanKind.CONSUMER, attributes, error)
        return
    with trace.get_tracer(__name__).start_as_current_span(
        name, context=earlier, kind=SpanKind.CONSUMER, attributes=attributes
    ) as recorded:
        yield lambda error: fail(recorded, error)
