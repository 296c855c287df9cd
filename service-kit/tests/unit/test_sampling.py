"""Errors are traced whatever the sample, and say nothing that people typed."""

import httpx2
import pytest
from fastapi import FastAPI
from opentelemetry import propagate, trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from structlog.testing import capture_logs

from servicekit import telemetry
from servicekit.exporting import instrument
from servicekit.problem_handlers import install as install_problems
from servicekit.problems import unavailable

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"
UNSAMPLED = f"00-{TRACE}-{CALLER}-00"


def failing_app() -> FastAPI:
    """Breaks, is unavailable, or refuses; each answer but the first tells its traceparent."""
    app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False})

    @app.get("/broken/{ticket}")
    async def broken() -> None:
        raise ValueError("nonsense of grace@example.org\nin what ada@example.org typed")

    @app.get("/unavailable")
    async def get_unavailable() -> None:
        carrier: dict[str, str] = {}
        with telemetry.span("a call", SpanKind.CLIENT):
            propagate.inject(carrier)
        problem = unavailable("it")
        problem.headers = {**(problem.headers or {}), **carrier}
        raise problem

    @app.get("/livez")
    async def livez() -> None:
        raise unavailable("all")

    install_problems(app, {})
    instrument(app, ratio=0)
    return app


async def get(path: str, headers: dict[str, str] | None = None) -> httpx2.Response:
    transport = httpx2.ASGITransport(failing_app(), raise_app_exceptions=False)
    # Without logs: as long as nothing is configured, structlog paints whole stacks for a console.
    with capture_logs():
        async with httpx2.AsyncClient(transport=transport, base_url="http://a") as client:
            return await client.get(path, headers=headers)


def ids(span: ReadableSpan) -> tuple[str, str, str]:
    """Trace id, span id and the parent's span id, in hexadecimal."""
    assert span.context is not None
    parent = f"{span.parent.span_id:016x}" if span.parent else ""
    return f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}", parent


async def test_unsampled_request_that_breaks_is_told(exporter: InMemorySpanExporter) -> None:
    answer = await get("/broken/7?token=secret", {"traceparent": UNSAMPLED})
    assert answer.status_code == 500
    (span,) = exporter.get_finished_spans()
    assert (span.name, span.kind) == ("GET /broken/{ticket}", SpanKind.SERVER)
    assert span.status.status_code is StatusCode.ERROR
    trace_id, _, parent = ids(span)
    assert (trace_id, parent) == (TRACE, CALLER)
    assert span.start_time is not None
    assert span.end_time is not None
    assert span.end_time > span.start_time
    assert span.attributes == {
        "http.request.method": "GET",
        "http.route": "/broken/{ticket}",
        "http.response.status_code": 500,
        "error.type": "ValueError",
    }


async def test_exception_in_a_trace_does_not_repeat_what_was_typed(
    exporter: InMemorySpanExporter,
) -> None:
    await get("/broken/7")
    (span,) = exporter.get_finished_spans()
    (event,) = span.events
    assert event.attributes is not None
    assert event.attributes["exception.type"] == "ValueError"
    assert event.attributes["exception.message"] == "nonsense of g***@example.org"
    assert "ada@example.org" not in span.to_json()
    assert "grace@example.org" not in span.to_json()


async def test_unsampled_request_that_is_unavailable_has_the_ids_that_it_passed_on(
    exporter: InMemorySpanExporter,
) -> None:
    answer = await get("/unavailable")
    assert answer.status_code == 503
    (span,) = exporter.get_finished_spans()
    _, trace_id, span_id, flags = answer.headers["traceparent"].split("-")
    assert ids(span) == (trace_id, span_id, "")
    assert flags == "00", "what is called must not record on its own"


@pytest.mark.parametrize("path", ["/unknown", "/livez"])
async def test_unsampled_request_that_is_no_error_of_ours_is_not_told(
    exporter: InMemorySpanExporter, path: str
) -> None:
    await get(path)
    assert exporter.get_finished_spans() == ()


@pytest.mark.parametrize("sampled", [True, False])
@pytest.mark.parametrize("fails", [True, False])
def test_work_continued_later_is_told_when_it_is_sampled_or_fails(
    exporter: InMemorySpanExporter, *, sampled: bool, fails: bool
) -> None:
    parent = UNSAMPLED[:-1] + ("1" if sampled else "0")
    with telemetry.continued_from(parent, "deliver", {"attempt": 2}) as failed:
        inner = trace.get_current_span().get_span_context()
        if fails:
            failed(OSError("unavailable"))
    spans = exporter.get_finished_spans()
    assert len(spans) == (sampled or fails)
    for span in spans:
        assert ids(span) == (TRACE, f"{inner.span_id:016x}", CALLER)
        assert span.attributes is not None
        assert span.attributes["attempt"] == 2
        assert (span.status.status_code is StatusCode.ERROR) == fails


def test_call_that_a_process_makes_for_itself_begins_no_trace(
    exporter: InMemorySpanExporter,
) -> None:
    with telemetry.span("look for work", SpanKind.CLIENT):
        pass
    with telemetry.span("work") as span:
        assert isinstance(span, ReadableSpan)
    assert [each.name for each in exporter.get_finished_spans()] == ["work"]
