"""One proposal, one trace: from the visitor's request to the last thing that it causes."""

from typing import NamedTuple

import httpx2
from tests.acceptance.office import Answer, Office, Talk
from tests.acceptance.site import Site

from embedded.trace_page import TraceServer
from embedded.traces import Span, Trace
from testkit.waiting import wait_for


class Step(NamedTuple):
    """The properties of a span on the way."""

    service: str
    name: str
    system: str = ""
    """The database's, where it is a call of one."""

    def fits(self, span: Span) -> bool:
        """Return whether `span` is it."""
        return (
            span.service == self.service
            and span.name.startswith(self.name)
            and self.system in {"", span.attributes.get("db.system.name")}
        )


def follow(trace: Trace, *way: Step) -> Span | None:
    """The last span of a way on which each one's parent is the one before; the first has none."""
    reached = [span for span in trace.spans if way[0].fits(span) and not span.parent_id]
    for step in way[1:]:
        above = {span.span_id for span in reached}
        reached = [span for span in trace.spans if step.fits(span) and span.parent_id in above]
    return reached[0] if reached else None


def trace_with(received: TraceServer, proposal: Answer, *ways: tuple[Step, ...]) -> Trace:
    """The trace in which something is delivered about `proposal`, once it has all of `ways`."""

    def found() -> Trace | None:
        return next((each for each in received.traces.newest() if _has(each, proposal, ways)), None)

    def what() -> str:
        return "\n\n".join(str(each) for each in received.traces.newest()[:5])

    try:
        return wait_for(found, "the trace", 60, 0.1)
    except AssertionError as error:
        raise AssertionError(f"No such trace; the newest are:\n{what()}") from error


def _has(trace: Trace, proposal: Answer, ways: tuple[tuple[Step, ...], ...]) -> bool:
    is_about = any(span.attributes.get("proposal.id") == proposal["id"] for span in trace.spans)
    return is_about and all(follow(trace, *way) for way in ways)


def test_trace_of_a_submission_goes_from_the_site_to_postgresql_and_the_relay(
    office: Office, talk: Talk, received: TraceServer
) -> None:
    submitted = office.submit(talk)
    in_c4p = (
        Step("frontend", "POST /api/proposals"),
        Step("frontend", "POST"),
        Step("c4p-service", "POST /proposals"),
    )
    trace_with(
        received,
        submitted,
        (*in_c4p[:1], Step("frontend", "EVALSHA", system="redis")),
        (*in_c4p, Step("c4p-service", "WITH", system="postgresql")),
        (
            *in_c4p,
            Step("c4p-service", "deliver received"),
            Step("c4p-service", "POST"),
            Step("email-service", "POST /emails"),
            Step("email-service", "SMTP send"),
        ),
    )


def test_trace_of_a_decision_goes_on_behind_the_outbox(
    office: Office, submitted: Answer, received: TraceServer
) -> None:
    office.wait_until_told(submitted)
    office.decide(submitted, "accepted")
    in_c4p = (
        Step("frontend", "POST /api/proposals/{id}/decision"),
        Step("frontend", "POST"),
        Step("c4p-service", "POST /proposals/{proposal_id:uuid}/decision"),
    )
    in_email = (
        *in_c4p,
        Step("c4p-service", "deliver accepted"),
        Step("c4p-service", "POST"),
        Step("email-service", "POST /emails"),
    )
    trace_with(
        received,
        submitted,
        (*in_c4p, Step("c4p-service", "SELECT", system="postgresql")),
        (
            *in_c4p,
            Step("c4p-service", "deliver session"),
            Step("c4p-service", "PUT"),
            Step("agenda-service", "PUT /sessions/{proposal_id}"),
            Step("agenda-service", "EVALSHA", system="redis"),
        ),
        (*in_email, Step("email-service", "EVALSHA", system="redis")),
        (*in_email, Step("email-service", "SMTP send")),
    )


def test_trace_begins_at_the_site_whatever_a_visitor_sends(
    site: Site, received: TraceServer
) -> None:
    chosen = "0af7651916cd43dd8448eb211c80319c"
    sent = {"traceparent": f"00-{chosen}-b7ad6b7169203331-01", "baggage": "a=b"}
    before = {each.spans[0].trace_id for each in received.traces.newest()}
    httpx2.get(f"{site.url}/about", headers=sent)

    def new() -> bool:
        return any(
            each.spans[0].trace_id not in before and follow(each, Step("frontend", "GET /about"))
            for each in received.traces.newest()
        )

    wait_for(new, "the trace of the page")
    assert received.traces.find(chosen) is None
