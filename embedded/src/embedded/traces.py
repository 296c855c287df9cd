"""The newest traces, as OTLP brings them, kept in memory."""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1 import trace_pb2

MOST_TRACES = 500
MOST_SPANS = 2000
"""Of one trace."""
_WIDTH = 48


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of work of one service; times in nanoseconds since 1970."""

    trace_id: str
    span_id: str
    parent_id: str
    """Empty where the trace begins."""
    service: str
    name: str
    kind: str
    """As OTLP has it: SERVER, CLIENT, CONSUMER, PRODUCER or INTERNAL."""
    start: int
    end: int
    failed: bool
    attributes: Mapping[str, Any]
    events: Sequence[Mapping[str, Any]]


def read(body: bytes) -> Iterator[Span]:
    """The spans of an OTLP request in protobuf; DecodeError when it is none.

    https://opentelemetry.io/docs/specs/otlp/#otlphttp-request
    """
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        service = str(_values(resource.resource.attributes).get("service.name", "unknown"))
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield _span(service, span)


def _span(service: str, span: trace_pb2.Span) -> Span:
    return Span(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        service=service,
        name=span.name,
        kind=trace_pb2.Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        start=span.start_time_unix_nano,
        end=span.end_time_unix_nano,
        failed=span.status.code == trace_pb2.Status.STATUS_CODE_ERROR,
        attributes=_values(span.attributes),
        events=[{"name": event.name, **_values(event.attributes)} for event in span.events],
    )


def _values(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:
    if value.WhichOneof("value") == "array_value":
        return [_value(each) for each in value.array_value.values]
    return getattr(value, value.WhichOneof("value") or "string_value")


@dataclass(frozen=True, slots=True)
class Trace:
    """Spans that belong together, the oldest first."""

    spans: Sequence[Span]

    @property
    def start(self) -> int:
        """The start of the first span."""
        return self.spans[0].start

    @property
    def milliseconds(self) -> float:
        """From the first beginning to the last end."""
        return (max(span.end for span in self.spans) - self.start) / 1e6

    def rows(self) -> Iterator[tuple[int, Span]]:
        """Every span below its parent, each with its depth; without a parent here it is at 0."""
        known = {span.span_id for span in self.spans}
        children: dict[str, list[Span]] = {}
        for span in self.spans:
            above = span.parent_id if span.parent_id in known - {span.span_id} else ""
            children.setdefault(above, []).append(span)
        left = [(0, span) for span in reversed(children.get("", []))]
        while left:
            depth, span = left.pop()
            yield depth, span
            left.extend((depth + 1, each) for each in reversed(children.get(span.span_id, [])))

    def __str__(self) -> str:
        """The trace as a picture of text."""
        scale = _WIDTH / max(self.milliseconds, 0.001)
        lines = []
        for depth, span in self.rows():
            label = f"{'  ' * depth}{span.service}: {span.name}{' !' if span.failed else ''}"
            begin = (span.start - self.start) / 1e6
            length = (span.end - span.start) / 1e6
            bar = " " * int(begin * scale) + "▇" * max(1, round(length * scale))
            lines.append(f"{label:<64} {begin:>8.1f} {length:>8.1f}  {bar}")
        head = f"{'milliseconds':<64} {'at':>8} {'takes':>8}"
        return "\n".join([head, *lines])


class Traces:
    """Traces by id, the oldest forgotten; many threads may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spans: OrderedDict[str, list[Span]] = OrderedDict()

    def add(self, body: bytes) -> None:
        """Keep what an OTLP request has; DecodeError when it is none."""
        spans = list(read(body))
        with self._lock:
            for span in spans:
                of_trace = self._spans.setdefault(span.trace_id, [])
                if len(of_trace) < MOST_SPANS:
                    of_trace.append(span)
                self._spans.move_to_end(span.trace_id)
            while len(self._spans) > MOST_TRACES:
                self._spans.popitem(last=False)

    def newest(self) -> list[Trace]:
        """All that are kept, the newest first."""
        with self._lock:
            kept = [_sorted(spans) for spans in self._spans.values()]
        return sorted(kept, key=lambda trace: trace.start, reverse=True)

    def find(self, trace_id: str) -> Trace | None:
        """One of them."""
        with self._lock:
            spans = self._spans.get(trace_id)
            return _sorted(spans) if spans else None


def _sorted(spans: Sequence[Span]) -> Trace:
    return Trace(sorted(spans, key=lambda span: span.start))
