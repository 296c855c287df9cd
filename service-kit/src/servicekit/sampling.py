"""Chooses the requests that are recorded: a share of all, decided at the start, and every error.

See docs/decisions/0008-errors-are-always-traced.md.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import time_ns
from typing import Any

from opentelemetry import context, propagate, trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, StatusCode, TraceFlags
from starlette.types import ASGIApp, Message, Receive, Scope, Send

UNTRACED = frozenset({"/livez", "/readyz"})
_PROPAGATED = frozenset({b"traceparent", b"tracestate", b"baggage"})

Attributes = Mapping[str, str | int]
"""What is known of a span, by the names of the semantic conventions where they have one."""

Failed = Callable[[BaseException], None]
"""Tells the trace that what it is about has failed."""


def current_unsampled() -> SpanContext | None:
    """The work that goes on here just now, if it is not recorded."""
    current = trace.get_current_span().get_span_context()
    return current if current.is_valid and not current.trace_flags.sampled else None


def _random_id(bits: int) -> int:
    """Any but 0, which stands for none: https://www.w3.org/TR/trace-context/#trace-id"""
    return random.getrandbits(bits) or _random_id(bits)


class Unsampled:
    """Work that is not recorded: it has ids and a start, so that its error can still be told."""

    def __init__(self, parent: Context) -> None:
        self._started = time_ns()
        self._above = trace.get_current_span(parent).get_span_context()
        trace_id = self._above.trace_id or _random_id(128)
        own = SpanContext(trace_id, _random_id(64), is_remote=False)
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
