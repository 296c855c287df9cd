"""Nothing is sampled here, and still every error is in its trace."""

from collections.abc import Iterator

import pytest
from tests.acceptance.office import Answer, Office, Talk
from tests.acceptance.site import Site
from tests.observability.conftest import TRACED
from tests.observability.failing import outage
from tests.patience import PATIENT

from embedded.platform import Platform
from embedded.trace_page import TraceServer, receiving
from embedded.traces import Trace
from testkit.waiting import wait_for


@pytest.fixture(scope="module")
def received() -> Iterator[TraceServer]:
    with receiving() as server:
        yield server


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory, received: TraceServer) -> Iterator[Platform]:
    otel = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": received.url,
        "OTEL_SAMPLE_RATIO": "0",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
    }
    env = {name: {**otel, **PATIENT.get(name, {})} for name in TRACED}
    with Platform(tmp_path_factory.mktemp("platform"), env=env) as running:
        running.stop("consistency-job")
        yield running


@pytest.fixture(scope="module")
def site(platform: Platform) -> Site:
    return Site(platform.urls.site, platform.urls.mail, platform.passcode)


def shape(trace: Trace) -> list[tuple[int, str, str]]:
    """Depth, service and name of each span."""
    return [(depth, span.service, span.name) for depth, span in trace.rows()]


def wait_for_shape(received: TraceServer, *expected: tuple[int, str, str]) -> Trace:
    """The trace that consists of these spans and no others."""

    def found() -> Trace | None:
        return next((t for t in received.traces.newest() if shape(t) == list(expected)), None)

    return wait_for(found, f"the trace {expected}", 60, 0.1)


def test_request_that_fails_is_told_by_every_service_that_failed(
    platform: Platform, office: Office, received: TraceServer, talk: Talk
) -> None:
    with outage(platform, "postgres"):
        assert office.client.post("/proposals", json=talk).status_code == 503
    trace = wait_for_shape(
        received,
        (0, "frontend", "POST /api/proposals"),
        (1, "c4p-service", "POST /proposals"),
    )
    assert all(span.failed and span.kind == "SERVER" for span in trace.spans)
    assert [span.attributes["http.response.status_code"] for span in trace.spans] == [503, 503]


def test_delivery_that_fails_is_told_and_one_that_arrives_is_not(
    platform: Platform, office: Office, received: TraceServer, submitted: Answer
) -> None:
    office.wait_until_told(submitted)
    with outage(platform, "agenda-service"):
        office.decide(submitted, "accepted")
        trace = wait_for_shape(received, (0, "c4p-service", "deliver session"))
    (span,) = trace.spans
    assert span.failed
    assert span.attributes["proposal.id"] == submitted["id"]
    assert span.parent_id, "it belongs to the decision, which did not fail"
    office.wait_for_session(submitted)
    told = [each for trace in received.traces.newest() for each in trace.spans]
    assert all(each.failed for each in told)
