"""Which requests are traced, and what a trace never shows."""

from collections.abc import Iterator

import httpx2
import pytest
from fastapi import FastAPI
from opentelemetry import propagate, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from servicekit import telemetry

SAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNSAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


@pytest.fixture(scope="module")
def exporter() -> Iterator[InMemorySpanExporter]:
    provider = TracerProvider()
    kept = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    trace.set_tracer_provider(provider)
    yield kept
    provider.shutdown()


async def ask(ratio: float, headers: dict[str, str] | None = None) -> dict[str, str]:
    """What a route of a traced app would tell the services that it calls."""
    app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False})

    @app.get("/tickets/{ticket}")
    async def get() -> dict[str, str]:
        carrier: dict[str, str] = {}
        propagate.inject(carrier)
        return carrier

    telemetry.instrument(app, ratio)
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://a") as client:
        answer = await client.get("/tickets/7?token=secret", headers=headers)
        told: dict[str, str] = answer.json()
        return told


async def test_request_outside_the_ratio_makes_no_span(exporter: InMemorySpanExporter) -> None:
    exporter.clear()
    told = await ask(ratio=0)
    assert exporter.get_finished_spans() == ()
    assert told["traceparent"].endswith("-00")


async def test_request_inside_the_ratio_makes_one_span(exporter: InMemorySpanExporter) -> None:
    exporter.clear()
    told = await ask(ratio=1)
    (span,) = exporter.get_finished_spans()
    assert span.name == "GET /tickets/{ticket}"
    assert int(told["traceparent"].rpartition("-")[2], 16) & 1


@pytest.mark.parametrize(("parent", "spans"), [(SAMPLED, 1), (UNSAMPLED, 0)])
async def test_trace_of_the_caller_goes_on_as_the_caller_chose(
    exporter: InMemorySpanExporter, parent: str, spans: int
) -> None:
    exporter.clear()
    told = await ask(ratio=1 - spans, headers={"traceparent": parent})
    assert len(exporter.get_finished_spans()) == spans
    assert told["traceparent"].split("-")[1] == parent.split("-")[1]


async def test_span_does_not_show_the_query(exporter: InMemorySpanExporter) -> None:
    exporter.clear()
    await ask(ratio=1)
    (span,) = exporter.get_finished_spans()
    assert "secret" not in str(span.attributes)
