"""Traces by OpenTelemetry, over OTLP when an endpoint is set; nothing at all when none is."""

import random
from contextlib import AbstractContextManager

from fastapi import FastAPI
from opentelemetry import context, propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.httpx import HTTPX2ClientInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from starlette.types import ASGIApp, Receive, Scope, Send

from servicekit.settings import Settings

UNTRACED = "/livez,/readyz"
_ADDRESSES = ("http.url", "http.target", "url.full")
_PROPAGATED = frozenset({b"traceparent", b"tracestate", b"baggage"})


def configure(service: str, settings: Settings) -> bool:
    """Set up the exporter if the environment names one; tell whether it did."""
    if settings.otel_exporter_otlp_endpoint is None:
        return False
    provider = TracerProvider(
        resource=Resource.create(
            {"service.name": service, "service.version": settings.service_version}
        )
    )
    endpoint = f"{settings.otel_exporter_otlp_endpoint.rstrip('/')}/v1/traces"
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint)))
    trace.set_tracer_provider(provider)
    instrument_calls()
    return True


def instrument_calls() -> None:
    """A span for each call by an httpx2 client, made before or later; the trace goes with it."""
    HTTPX2ClientInstrumentor().instrument(async_request_hook=_drop_query_of_call)


def instrument(app: FastAPI, ratio: float, *, trusts_callers: bool = True) -> None:
    """A span for each request of `app` that is sampled; its ASGI messages get none.

    `ratio` is the share of new traces that are kept; a caller's trace goes on as the caller chose,
    unless callers are not to be trusted: then every trace begins here.
    """
    plain = app.build_middleware_stack
    FastAPIInstrumentor.instrument_app(
        app,
        excluded_urls=UNTRACED,
        exclude_spans=["receive", "send"],
        server_request_hook=_drop_query,
    )
    traced = app.build_middleware_stack

    def build() -> ASGIApp:
        return HeadSampling(plain(), traced(), ratio, trusts_callers=trusts_callers)

    app.build_middleware_stack = build  # type: ignore[method-assign]


class HeadSampling:
    """Plain ASGI: decides on a trace before anything is spent on it.

    The instrumentation does all its work for spans that nobody keeps, which costs more than to
    answer from a cache. A request that is not sampled goes round it, with a span context that
    tells everything it calls so.
    """

    def __init__(
        self, plain: ASGIApp, traced: ASGIApp, ratio: float, *, trusts_callers: bool
    ) -> None:
        self._plain = plain
        self._traced = traced
        self._ratio = ratio
        self._trusts_callers = trusts_callers
        self._ids = RandomIdGenerator()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._plain(scope, receive, send)
            return
        if not self._trusts_callers:
            headers = [each for each in scope["headers"] if each[0] not in _PROPAGATED]
            scope = {**scope, "headers": headers}
        parent = next((value for name, value in scope["headers"] if name == b"traceparent"), None)
        if self._is_sampled(parent):
            await self._traced(scope, receive, send)
            return
        token = context.attach(self._unsampled(parent))
        try:
            await self._plain(scope, receive, send)
        finally:
            context.detach(token)

    def _is_sampled(self, parent: bytes | None) -> bool:
        if parent is None:
            return random.random() < self._ratio  # noqa: S311 - a sample, not a secret
        # The lowest bit of the last field: https://www.w3.org/TR/trace-context/#sampled-flag
        return parent != b"" and parent[-1:] in b"13579bdf"

    def _unsampled(self, parent: bytes | None) -> context.Context:
        if parent is not None:
            return propagate.extract({"traceparent": parent.decode("latin-1")})
        span = trace.SpanContext(
            self._ids.generate_trace_id(), self._ids.generate_span_id(), is_remote=False
        )
        return trace.set_span_in_context(trace.NonRecordingSpan(span))


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
    _drop_query(span, request)


def traceparent() -> str | None:
    """The current trace in W3C form, to be kept beside work that is done later."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier.get("traceparent")


def continued_from(parent: str | None, name: str) -> AbstractContextManager[trace.Span]:
    """A span called `name` in the trace that `traceparent` told of earlier."""
    earlier = propagate.extract({"traceparent": parent} if parent else {})
    return trace.get_tracer("servicekit").start_as_current_span(name, context=earlier)
