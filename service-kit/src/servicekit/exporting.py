"""Traces where they are exported: OpenTelemetry's SDK, its exporter and its instrumentations.

Imported only then, since that is a fifth of the start of a service. What code that makes spans
needs is `servicekit.telemetry`.
"""

import os
from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import Any

from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.httpx import HTTPX2ClientInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, Sampler, SamplingResult
from opentelemetry.trace import SpanKind, Status
from starlette.types import ASGIApp

from servicekit.redaction import first_line
from servicekit.sampling import HeadSampling, current_unsampled
from servicekit.settings import Settings

_ADDRESSES = ("http.url", "http.target", "url.full")


def export(endpoint: str, service: str, settings: Settings, traced: Sequence[str]) -> None:
    """Send spans to `endpoint` (OTLP over HTTP) from now on, those of `traced` libraries too."""
    # Without this the instrumentations still use the names from before the conventions were
    # stable: https://opentelemetry.io/docs/specs/semconv/http/
    os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http,database")
    resource = {"service.name": service, "service.version": settings.service_version}
    provider = TracerProvider(
        ParentBased(WhatBegins()), Resource.create(resource), id_generator=Ids()
    )
    exporter = RedactingExporter(OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces"))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    instrument_calls()
    for name in traced:
        # Where each instrumentation tells of itself.
        (found,) = entry_points(group="opentelemetry_instrumentor", name=name)
        found.load()().instrument()


def instrument_calls() -> None:
    """A span for each call by an httpx2 client, made before or later; the trace goes with it."""
    HTTPX2ClientInstrumentor().instrument(async_request_hook=_drop_query_of_call)


def instrument(app: FastAPI, ratio: float, *, trusts_callers: bool = True) -> None:
    """A span for each request of `app` that is sampled or fails; its ASGI messages get none.

    `ratio` is the share of new traces that are kept; a caller's trace goes on as the caller chose,
    unless callers are not to be trusted: then every trace begins here.
    """
    plain = app.build_middleware_stack
    FastAPIInstrumentor.instrument_app(
        app, exclude_spans=["receive", "send"], server_request_hook=_drop_query
    )
    traced = app.build_middleware_stack

    def build() -> ASGIApp:
        return HeadSampling(plain(), traced(), ratio, trusts_callers=trusts_callers)

    app.build_middleware_stack = build  # type: ignore[method-assign]


class Ids(RandomIdGenerator):
    """Random ids, but inside work that is not recorded always those of that work.

    Nothing in it is recorded, so its calls need no ids of their own; and a span that a neighbour
    exports for its error finds its parent, if that failed too.
    """

    def generate_span_id(self) -> int:
        """The id of a new span."""
        current = current_unsampled()
        return current.span_id if current else super().generate_span_id()

    def generate_trace_id(self) -> int:
        """The id of a new trace."""
        current = current_unsampled()
        return current.trace_id if current else super().generate_trace_id()


class WhatBegins(Sampler):
    """A trace begins with a request or a piece of work, and never with a call that a process makes
    for itself, such as to look whether there is work.
    """

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Any = None,
        links: Any = None,
        trace_state: Any = None,
    ) -> SamplingResult:
        """Return whether a span without a parent is recorded."""
        own = kind is SpanKind.CLIENT
        return SamplingResult(Decision.DROP if own else Decision.RECORD_AND_SAMPLE, attributes)

    def get_description(self) -> str:
        """Its name."""
        return type(self).__name__


class RedactingExporter(SpanExporter):
    """Hands spans on with what their exceptions are, and the first line of what they say.

    Stack traces stay behind, since they end with the whole message; the log has the frames.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Hand on."""
        return self._exporter.export([_redacted(each) for each in spans])

    def shutdown(self) -> None:
        """Hand on."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Hand on."""
        return self._exporter.force_flush(timeout_millis)


def _redacted(span: ReadableSpan) -> ReadableSpan:
    if not span.events and span.status.description is None:
        return span
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=span.attributes,
        events=[_redacted_event(each) for each in span.events],
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _redacted_event(event: Event) -> Event:
    attributes = dict(event.attributes or {})
    attributes.pop("exception.stacktrace", None)
    if "exception.message" in attributes:
        attributes["exception.message"] = first_line(str(attributes["exception.message"]))
    return Event(event.name, attributes, event.timestamp)


def _drop_query(span: trace.Span, _: object) -> None:
    """Keep queries out of traces: they carry speakers' links and what organizers search for."""
    if not isinstance(span, ReadableSpan) or span.attributes is None:
        return
    for name in _ADDRESSES:
        if name in span.attributes:
            span.set_attribute(name, str(span.attributes[name]).partition("?")[0])
    if "url.query" in span.attributes:
        span.set_attribute("url.query", "")


async def _drop_query_of_call(span: trace.Span, request: object) -> None:
    """The same for a call by httpx2."""
    _drop_query(span, request)
