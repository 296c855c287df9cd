"""Which requests are recorded: a share of all, decided before anything is spent, and every error.

See docs/decisions/0008-errors-are-always-traced.md.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import time_ns
from typing import Any

from opentelemetry import context, propagate, trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, StatusCode, TraceFlags
from starlette.types import ASGIApp, Message, Receive, Scope, Send

UNTRACED = frozenset({"/livez", "/readyz"})
_PROPAGATED = frozenset({b"traceparent", b"tracestate", b"baggage"})

Attributes = Mapping[str, str | int]
"""What is known of a span, by the names of the semantic conventions where they have one."""

Failed = Callable[[BaseException], None]
"""Tells the trace that what it is about has failed."""


class Ids(RandomIdGenerator):
    """Random ids, but inside work that is not recorded always those of that work.

    Nothing in it is recorded, so its calls need no ids of their own; and a span that a neighbour
    exports for its error finds its parent, if that failed too.
    """

    def generate_span_id(self) -> int:
        """The id of a new span."""
        current = _current_unsampled()
        return current.span_id if current else super().generate_span_id()

    def generate_trace_id(self) -> int:
        """The id of a new trace."""
        current = _current_unsampled()
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
        """Whether a span without a parent is recorded."""
        own = kind is SpanKind.CLIENT
        return SamplingResult(Decision.DROP if own else Decision.RECORD_AND_SAMPLE, attributes)

    def get_description(self) -> str:
        """Its name."""
        return type(self).__name__


def _current_unsampled() -> SpanContext | None:
    current = trace.get_current_span().get_span_context()
    return current if current.is_valid and not current.trace_flags.sampled else None


_RANDOM = RandomIdGenerator()


class Unsampled:
    """Work that is not recorded: it has ids and a start, so that its error can still be told."""

    def __init__(self, parent: Context) -> None:
        self._started = time_ns()
        self._above = trace.get_current_span(parent).get_span_context()
        trace_id = self._above.trace_id or _RANDOM.generate_trace_id()
        own = SpanContext(trace_id, _RANDOM.generate_span_id(), is_remote=False)
        self._context = trace.set_span_in_context(NonRecordingSpan(own), parent)

    @contextmanager
    def current(self) -> Iterator[None]:
        """While this lasts, what is called and logged belongs to the work."""
        token = context.attach(self._context)
        try:
            yield
        finally:
            context.detach(token)

    def failed(
        self,
        name: str,
        kind: SpanKind,
        attributes: Attributes,
        error: BaseException | None,
    ) -> None:
        """Export a span for it after all, with the ids that were passed on in its name."""
        above = Context()
        if self._above.is_valid:
            flags = TraceFlags(self._above.trace_flags | TraceFlags.SAMPLED)
            sampled = SpanContext(self._above.trace_id, self._above.span_id, True, flags)
            above = trace.set_span_in_context(NonRecordingSpan(sampled), above)
        with self.current():
            span = trace.get_tracer(__name__).start_span(
                name, above, kind, attributes, start_time=self._started
            )
        fail(span, error)
        span.end()


def fail(span: trace.Span, error: BaseException | None) -> None:
    """Mark `span` as failed; nothing of what `error` says is in its status."""
    if error is not None:
        span.record_exception(error)
        span.set_attribute("error.type", type(error).__qualname__)
    span.set_status(StatusCode.ERROR)


class HeadSampling:
    """Plain ASGI: decides on a trace before anything is spent on it.

    The instrumentation does all its work for spans that nobody keeps, which costs more than to
    answer from a cache. A request that is not sampled goes round it, with a span context that
    tells everything it calls so; when it fails, one span is made for it in the end.
    """

    def __init__(
        self, plain: ASGIApp, traced: ASGIApp, ratio: float, *, trusts_callers: bool
    ) -> None:
        self._plain = plain
        self._traced = traced
        self._ratio = ratio
        self._trusts_callers = trusts_callers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in UNTRACED:
            await self._plain(scope, receive, send)
            return
        if not self._trusts_callers:
            headers = [each for each in scope["headers"] if each[0] not in _PROPAGATED]
            scope = {**scope, "headers": headers}
        parent = next((value for name, value in scope["headers"] if name == b"traceparent"), None)
        if self._is_sampled(parent):
            await self._traced(scope, receive, send)
        else:
            await self._unrecorded(parent, scope, receive, send)

    def _is_sampled(self, parent: bytes | None) -> bool:
        if parent is None:
            return random.random() < self._ratio  # noqa: S311 - a sample, not a secret
        # The lowest bit of the last field: https://www.w3.org/TR/trace-context/#sampled-flag
        return parent != b"" and parent[-1:] in b"13579bdf"

    async def _unrecorded(
        self, parent: bytes | None, scope: Scope, receive: Receive, send: Send
    ) -> None:
        above = Context()
        if parent is not None:
            above = propagate.extract({"traceparent": parent.decode("latin-1")}, above)
        request = Unsampled(above)
        status = 500

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            with request.current():
                await self._plain(scope, receive, send_and_note)
        except Exception as error:
            request.failed(*_described(scope, status), error)
            raise
        if status >= 500:
            request.failed(*_described(scope, status), None)


def _described(scope: Scope, status: int) -> tuple[str, SpanKind, Attributes]:
    """Name, kind and attributes of a server's span, as the instrumentation would have them."""
    route: Any = scope.get("route")
    method, path = scope["method"], getattr(route, "path", None)
    attributes: dict[str, str | int] = {
        "http.request.method": method,
        "http.response.status_code": status,
        "error.type": str(status),
    }
    if path is not None:
        attributes["http.route"] = path
    return f"{method} {path}" if path else method, SpanKind.SERVER, attributes
