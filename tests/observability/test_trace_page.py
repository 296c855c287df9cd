"""The page for traces that `make up OBSERVE=1` starts."""

import gzip
from collections.abc import Iterator
from html import escape

import httpx2
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from embedded.trace_page import TraceServer, receiving
from embedded.traces import MOST_TRACES

TRACE = "0af7651916cd43dd8448eb211c80319c"
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def server() -> Iterator[TraceServer]:
    with receiving() as running:
        yield running


def export(*spans: Span) -> bytes:
    """Return what an exporter sends."""
    service = KeyValue(key="service.name", value=AnyValue(string_value="c4p-service"))
    group = ResourceSpans(
        resource=Resource(attributes=[service]), scope_spans=[ScopeSpans(spans=spans)]
    )
    body: bytes = ExportTraceServiceRequest(resource_spans=[group]).SerializeToString()
    return body


def span(number: int, parent: int = 0, *, name: str = "work", trace_id: str = TRACE) -> Span:
    """The span `number`, which begins as many ms after the first and takes 1 ms."""
    start = 1_800_000_000_000_000_000 + number * 1_000_000
    return Span(
        trace_id=bytes.fromhex(trace_id),
        span_id=number.to_bytes(8),
        parent_span_id=parent.to_bytes(8) if parent else b"",
        name=name,
        start_time_unix_nano=start,
        end_time_unix_nano=start + 1_000_000,
        status=Status(code=Status.STATUS_CODE_ERROR if number == 3 else Status.STATUS_CODE_UNSET),
        attributes=[KeyValue(key="proposal.id", value=AnyValue(string_value=f"id-{number}"))],
    )


def send(server: TraceServer, body: bytes, **headers: str) -> int:
    return httpx2.post(f"{server.url}/v1/traces", content=body, headers=headers).status_code


def test_trace_is_a_tree_whatever_the_order_of_its_spans(server: TraceServer) -> None:
    assert send(server, export(span(3, 2), span(4, 99))) == 200
    compressed = gzip.compress(export(span(2, 1), span(1)))
    assert send(server, compressed, **{"Content-Encoding": "gzip"}) == 200
    trace = server.traces.find(TRACE)
    assert trace is not None
    rows = [(depth, int(each.span_id, 16), each.failed) for depth, each in trace.rows()]
    assert rows == [(0, 1, False), (1, 2, False), (2, 3, True), (0, 4, False)]
    assert trace.milliseconds == 4


def test_page_lists_traces_and_shows_one_with_every_attribute(server: TraceServer) -> None:
    send(server, export(span(1, name=EVIL), span(3, 1)))
    listed = httpx2.get(f"{server.url}/").text
    assert f'<a href="/traces/{TRACE}">{escape(EVIL)}</a>' in listed
    assert TRACE in httpx2.get(f"{server.url}/?q=id-3").text
    assert TRACE not in httpx2.get(f"{server.url}/?q=id-5").text
    shown = httpx2.get(f"{server.url}/traces/{TRACE}").text
    assert "<dt>proposal.id</dt><dd>id-3</dd>" in shown
    assert EVIL not in listed + shown
    text = httpx2.get(f"{server.url}/traces/{TRACE}.txt").text.splitlines()
    assert [line.split("  ")[0] for line in text[1:]] == [f"c4p-service: {EVIL}", ""]


def test_page_keeps_the_newest_traces(server: TraceServer) -> None:
    many = [span(1, trace_id=f"{number:032x}") for number in range(1, MOST_TRACES + 2)]
    send(server, export(*many))
    assert httpx2.get(f"{server.url}/traces/{1:032x}").status_code == 404
    assert httpx2.get(f"{server.url}/traces/{2:032x}").status_code == 200


def test_body_that_is_not_otlp_is_refused(server: TraceServer) -> None:
    assert send(server, b"\xff\xff\xff") == 400
    assert send(server, b"no gzip", **{"Content-Encoding": "gzip"}) == 400
    assert httpx2.get(f"{server.url}/traces/unknown").status_code == 404
