"""Requests that are traced, and words that a trace never shows."""

from collections.abc import Iterator

import httpcore2
import httpx2
import pytest
from fastapi import FastAPI
from opentelemetry import context, propagate
from opentelemetry.instrumentation.httpx import HTTPX2ClientInstrumentor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from servicekit import telemetry
from servicekit.app import create_app
from servicekit.exporting import instrument, instrument_calls
from servicekit.http import Neighbour
from servicekit.settings import ServerSettings

SAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNSAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


async def ask(
    ratio: float, headers: dict[str, str] | None = None, *, trusts_callers: bool = True
) -> dict[str, str]:
    """Return what a route of a traced app would tell the services that it calls."""
    app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False})

    @app.get("/tickets/{ticket}")
    async def get() -> dict[str, str]:
        carrier: dict[str, str] = {}
        propagate.inject(carrier)
        return carrier

    instrument(app, ratio, trusts_callers=trusts_callers)
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://a") as client:
        answer = await client.get("/tickets/7?token=secret", headers=headers)
        told: dict[str, str] = answer.json()
        return told


async def test_request_outside_the_ratio_makes_no_span(exporter: InMemorySpanExporter) -> None:
    told = await ask(ratio=0)
    assert exporter.get_finished_spans() == ()
    assert told["traceparent"].endswith("-00")


async def test_request_inside_the_ratio_makes_one_span(exporter: InMemorySpanExporter) -> None:
    told = await ask(ratio=1)
    (span,) = exporter.get_finished_spans()
    assert span.name == "GET /tickets/{ticket}"
    assert int(told["traceparent"].rpartition("-")[2], 16) & 1


@pytest.mark.parametrize(("parent", "spans"), [(SAMPLED, 1), (UNSAMPLED, 0)])
async def test_trace_of_the_caller_goes_on_as_the_caller_chose(
    exporter: InMemorySpanExporter, parent: str, spans: int
) -> None:
    told = await ask(ratio=1 - spans, headers={"traceparent": parent})
    assert len(exporter.get_finished_spans()) == spans
    assert told["traceparent"].split("-")[1] == parent.split("-")[1]


async def test_span_does_not_show_the_query(exporter: InMemorySpanExporter) -> None:
    await ask(ratio=1)
    (span,) = exporter.get_finished_spans()
    assert "secret" not in str(span.attributes)


@pytest.mark.parametrize(("parent", "ratio"), [(SAMPLED, 0), (UNSAMPLED, 1)])
async def test_caller_who_is_not_trusted_does_not_choose(
    exporter: InMemorySpanExporter, parent: str, ratio: int
) -> None:
    told = await ask(ratio, {"traceparent": parent, "baggage": "a=b"}, trusts_callers=False)
    assert len(exporter.get_finished_spans()) == ratio
    assert told.keys() == {"traceparent"}
    assert told["traceparent"].split("-")[1] != parent.split("-")[1]


@pytest.mark.parametrize("public", [True, False])
async def test_callers_of_a_public_app_are_not_trusted(
    exporter: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch, public: bool
) -> None:
    # In place of an exporter that would look for a collector.
    monkeypatch.setattr(telemetry, "configure", lambda *_: True)
    settings = ServerSettings(port=1, metrics_port=2, otel_sample_ratio=0)
    app = create_app("example", settings, [], public=public)
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app), base_url="http://a"
    ) as client:
        await client.get("/info", headers={"traceparent": SAMPLED})
    assert len(exporter.get_finished_spans()) == (0 if public else 1)


class Wire(httpcore2.AsyncConnectionPool):
    """Stands where the connections begin: answers every request, and keeps its headers."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[dict[bytes, bytes]] = []

    async def handle_async_request(self, request: httpcore2.Request) -> httpcore2.Response:
        self.told.append(dict(request.headers))
        return httpcore2.Response(200)


class OverWire(httpx2.AsyncHTTPTransport):
    """The transport that every Neighbour has, over a wire of the test's own."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._pool = wire


@pytest.fixture(params=["before", "after"])
def wired(
    request: pytest.FixtureRequest, exporter: InMemorySpanExporter
) -> Iterator[tuple[Neighbour, Wire]]:
    """A neighbour made before or after calls are traced, and what it is told."""
    wire = Wire()
    if request.param == "after":
        instrument_calls()
    neighbour = Neighbour("there", "http://b", timeout_seconds=1, transport=OverWire(wire))
    if request.param == "before":
        instrument_calls()
    yield neighbour, wire
    HTTPX2ClientInstrumentor().uninstrument()


@pytest.mark.parametrize(("parent", "spans"), [(SAMPLED, 1), (UNSAMPLED, 0)])
async def test_neighbour_is_told_the_trace(
    wired: tuple[Neighbour, Wire], exporter: InMemorySpanExporter, parent: str, spans: int
) -> None:
    neighbour, wire = wired
    token = context.attach(propagate.extract({"traceparent": parent}))
    try:
        await neighbour.request("GET", "/proposals", params={"q": "secret"})
    finally:
        context.detach(token)
    (told,) = wire.told
    _, trace_id, span_id, flags = told[b"traceparent"].decode().split("-")
    assert (trace_id, int(flags, 16) & 1) == (parent.split("-")[1], spans)
    finished = exporter.get_finished_spans()
    assert len(finished) == spans
    for span in finished:
        assert span.context is not None
        assert f"{span.context.span_id:016x}" == span_id
        assert "http://b/proposals" in str(span.attributes)
        assert "secret" not in str(span.attributes)
