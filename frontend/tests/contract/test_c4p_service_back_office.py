"""The expectations of frontend of c4p-service for organizers: lists, decisions, reports."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pact import match

from frontend.clients.c4p import C4p
from frontend.clients.client import ProblemAnswerError
from frontend.clients.schemas import DeliveryState
from testkit.contract.consumer import (
    JSON,
    PROBLEM,
    OwnToken,
    RecordedPact,
    made,
    one_of,
    problem,
    some,
    time,
)

from .proposals import ACCEPTED, ID, OTHER_ID, SUBMITTED, proposal

COUNTS = {each: match.int(0) for each in ("submitted", "accepted", "rejected", "withdrawn")}
MESSAGE = "See you in June."
OPENS_AT = datetime(2027, 1, 10, 9, tzinfo=UTC)
CLOSES_AT = datetime(2027, 3, 1, 23, tzinfo=UTC)


def delivery(state: str, **fields: Any) -> dict[str, Any]:
    """A delivery in this state, that has not failed and is not to be tried again."""
    return {
        "id": match.uuid(OTHER_ID),
        "proposal_id": match.uuid(ID),
        "target": one_of("email", "agenda"),
        "kind": one_of("received", "session", "accepted", "rejected", "withdrawn"),
        "state": state,
        "attempts": match.int(1),
        "created_at": time(),
        "next_attempt_at": None,
        "delivered_at": None,
        "last_error": None,
        **fields,
    }


async def test_proposals_are_searched(pact: RecordedPact) -> None:
    (
        pact.identified("a search for submitted proposals")
        .given(SUBMITTED)
        .with_request("GET", "/proposals")
        .with_query_parameters({"state": "submitted", "q": "outboxes", "limit": "50"})
        .will_respond_with(200)
        .with_body({"items": some(proposal()), "next_cursor": None, "counts": COUNTS}, JSON)
    )
    async with pact.neighbour() as c4p:
        page = await C4p(c4p, OwnToken()).proposals("submitted", "outboxes")
    assert [str(each.id) for each in page.items] == [ID]


async def test_proposals_come_in_pages(pact: RecordedPact) -> None:
    asked = {
        "a question for the first page of proposals": ({}, match.uuid(OTHER_ID)),
        "a question for the last page of proposals": (
            {"cursor": made(OTHER_ID, "${cursor}")},
            None,
        ),
    }
    for what, (params, next_cursor) in asked.items():
        (
            pact.identified(what)
            .given("two submitted proposals")
            .with_request("GET", "/proposals")
            .with_query_parameters({**params, "limit": "1"})
            .will_respond_with(200)
            .with_body(
                {"items": some(proposal()), "next_cursor": next_cursor, "counts": COUNTS}, JSON
            )
        )
    async with pact.neighbour() as c4p:
        first = await C4p(c4p, OwnToken()).proposals(limit=1)
        last = await C4p(c4p, OwnToken()).proposals(limit=1, cursor=first.next_cursor)
    assert last.next_cursor is None


async def test_many_are_decided(pact: RecordedPact) -> None:
    decision = {"decision": "accepted", "message": MESSAGE}
    accepted = proposal("accepted", decided_at=time(), message=MESSAGE)
    (
        pact.identified("a decision on two proposals")
        .given("a submitted proposal and a withdrawn one")
        .with_request("POST", "/proposals/decisions")
        .with_body(
            {
                "decisions": [
                    {"proposal_id": made(ID, "${proposal_id}"), **decision},
                    {"proposal_id": made(OTHER_ID, "${other_id}"), **decision},
                ]
            },
            JSON,
        )
        .will_respond_with(200)
        .with_body(
            {
                "results": [
                    {
                        "proposal_id": match.uuid(ID),
                        "status": 200,
                        "proposal": accepted,
                        "problem": None,
                    },
                    {
                        "proposal_id": match.uuid(OTHER_ID),
                        "status": 409,
                        "proposal": None,
                        "problem": problem("wrong-state", 409),
                    },
                ]
            },
            JSON,
        )
    )
    async with pact.neighbour() as c4p:
        done, refused = await C4p(c4p, OwnToken()).decide_many([ID, OTHER_ID], "accepted", MESSAGE)
    assert done.proposal is not None
    assert refused.problem is not None


async def test_history(pact: RecordedPact) -> None:
    def event(kind: str, version: int, data: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": match.uuid(OTHER_ID),
            "kind": kind,
            "actor": match.str("Grace Hopper"),
            "at": time(),
            "version": version,
            "data": match.like(data),
        }

    events = [event("submitted", 1, {}), event("accepted", 2, {"message": MESSAGE})]
    (
        pact.identified("a question for the history of a proposal")
        .given(ACCEPTED)
        .with_request("GET", made(f"/proposals/{ID}/events", "/proposals/${proposal_id}/events"))
        .will_respond_with(200)
        .with_body({"items": events}, JSON)
    )
    async with pact.neighbour() as c4p:
        assert [each.kind for each in await C4p(c4p, OwnToken()).events(ID)] == [
            "submitted",
            "accepted",
        ]


async def test_mails(pact: RecordedPact) -> None:
    mail = {
        "key": match.str("01975c2e-8f6a-7000-8000-000000000002:1"),
        "template": match.str("proposal-received"),
        "to": match.str("a***@example.org"),
        "reference": match.str(ID),
        "state": "sent",
        "sent_at": time("2027-01-10T09:00:01Z"),
    }
    (
        pact.identified("a question for the mails about a proposal")
        .given("a mail that has arrived")
        .with_request("GET", made(f"/proposals/{ID}/emails", "/proposals/${proposal_id}/emails"))
        .will_respond_with(200)
        .with_body({"items": some(mail)}, JSON)
    )
    async with pact.neighbour() as c4p:
        (found,) = await C4p(c4p, OwnToken()).emails(ID)
    assert found.sent_at is not None


ERROR = match.str("503 The mail relay is unavailable.")


@pytest.mark.parametrize(
    ("state", "given", "fields"),
    [
        ("delivered", "a mail that has arrived", {"delivered_at": time()}),
        ("waiting", "a mail that waits", {"next_attempt_at": time(), "last_error": ERROR}),
        ("failed", "a mail that was given up", {"last_error": ERROR}),
    ],
)
async def test_deliveries(
    pact: RecordedPact, state: DeliveryState, given: str, fields: dict[str, Any]
) -> None:
    (
        pact.identified(f"a question for the {state} deliveries of a proposal")
        .given(given)
        .with_request("GET", "/deliveries")
        .with_query_parameter("proposal_id", made(ID, "${proposal_id}"))
        .with_query_parameters({"state": state, "limit": "50"})
        .will_respond_with(200)
        .with_body({"items": some(delivery(state, **fields)), "next_cursor": None}, JSON)
    )
    async with pact.neighbour() as c4p:
        page = await C4p(c4p, OwnToken()).deliveries(ID, state)
    assert page.items[0].state == state


async def test_delivery_is_retried(pact: RecordedPact) -> None:
    path = made(f"/deliveries/{OTHER_ID}/retry", "/deliveries/${delivery_id}/retry")
    (
        pact.identified("the wish to send a mail again")
        .given("a mail that has arrived")
        .with_request("POST", path)
        .with_body({"attempts": 1}, JSON)
        .will_respond_with(202)
        .with_body(delivery("waiting", next_attempt_at=time()), JSON)
    )
    async with pact.neighbour() as c4p:
        assert (await C4p(c4p, OwnToken()).retry(OTHER_ID, 1)).state == "waiting"


async def test_delivery_that_changed_is_retried(pact: RecordedPact) -> None:
    path = made(f"/deliveries/{OTHER_ID}/retry", "/deliveries/${delivery_id}/retry")
    (
        pact.identified("the wish to send a mail again that was tried since it was seen")
        .given("a mail that has arrived")
        .with_request("POST", path)
        .with_body({"attempts": 0}, JSON)
        .will_respond_with(409)
        .with_body(problem("delivery-changed", 409), PROBLEM)
    )
    async with pact.neighbour() as c4p:
        with pytest.raises(ProblemAnswerError) as refusal:
            await C4p(c4p, OwnToken()).retry(OTHER_ID, 0)
    assert refusal.value.slug == "delivery-changed"


async def test_unknown_delivery_is_retried(pact: RecordedPact) -> None:
    (
        pact.identified("the wish to send a mail again that is not there")
        .given("no proposals")
        .with_request("POST", f"/deliveries/{OTHER_ID}/retry")
        .will_respond_with(404)
        .with_body(problem("delivery-not-found", 404), PROBLEM)
    )
    async with pact.neighbour() as c4p:
        with pytest.raises(ProblemAnswerError) as refusal:
            await C4p(c4p, OwnToken()).retry(OTHER_ID)
    assert refusal.value.status == 404


async def test_window_is_set(pact: RecordedPact) -> None:
    window = {"opens_at": OPENS_AT.isoformat(), "closes_at": CLOSES_AT.isoformat()}
    (
        pact.identified("a new window")
        .given("no proposals")
        .with_request("PUT", "/cfp")
        .with_body(window, JSON)
        .will_respond_with(200)
        .with_body({"opens_at": time(), "closes_at": time(), "open": match.bool(True)}, JSON)
    )
    async with pact.neighbour() as c4p:
        await C4p(c4p, OwnToken()).set_cfp(OPENS_AT, CLOSES_AT)


async def test_window_that_closes_first(pact: RecordedPact) -> None:
    window = {"opens_at": CLOSES_AT.isoformat(), "closes_at": OPENS_AT.isoformat()}
    errors = some({"field": match.str("closes_at"), "detail": match.str("It is too early.")})
    (
        pact.identified("a new window that closes before it opens")
        .given("no proposals")
        .with_request("PUT", "/cfp")
        .with_body(window, JSON)
        .will_respond_with(422)
        .with_body(problem("invalid-request", 422, errors=errors), PROBLEM)
    )
    async with pact.neighbour() as c4p:
        with pytest.raises(ProblemAnswerError) as refusal:
            await C4p(c4p, OwnToken()).set_cfp(CLOSES_AT, OPENS_AT)
    assert refusal.value.problem.errors is not None


async def test_reports(pact: RecordedPact) -> None:
    finding = {
        "check": match.str("missing-session"),
        "subject": match.str(ID),
        "detail": match.str("It is accepted and not on the agenda."),
        "cure": match.str("Send it again."),
        "repaired": match.bool(False),
    }
    report = {
        "id": match.uuid(OTHER_ID),
        "checked_at": time(),
        "complete": match.bool(True),
        "findings": some(finding),
    }
    (
        pact.identified("a question for the consistency reports")
        .given("a consistency report with a finding")
        .with_request("GET", "/consistency-reports")
        .will_respond_with(200)
        .with_body({"items": some(report)}, JSON)
    )
    async with pact.neighbour() as c4p:
        (latest,) = await C4p(c4p, OwnToken()).reports()
    assert len(latest.findings) == 1


REVIEW = {
    "subject": match.str("01975c2e"),
    "reviewer": match.str("Rita Reviewer"),
    "score": match.int(4),
    "comment": match.str("Clear and new."),
    "at": time(),
}


async def test_reviews(pact: RecordedPact) -> None:
    (
        pact.identified("a question for the reviews of a proposal")
        .given("a proposal with a review")
        .with_request("GET", made(f"/proposals/{ID}/reviews", "/proposals/${proposal_id}/reviews"))
        .will_respond_with(200)
        .with_body({"items": some(REVIEW)}, JSON)
    )
    async with pact.neighbour() as c4p:
        (found,) = await C4p(c4p, OwnToken()).reviews(ID)
    assert found.score == 4


async def test_review_is_written(pact: RecordedPact) -> None:
    said = {"score": 4, "comment": "Clear and new."}
    (
        pact.identified("a review")
        .given(SUBMITTED)
        .with_request("PUT", made(f"/proposals/{ID}/review", "/proposals/${proposal_id}/review"))
        .with_body(said, JSON)
        .will_respond_with(200)
        .with_body({**REVIEW, **said}, JSON)
    )
    async with pact.neighbour() as c4p:
        assert (await C4p(c4p, OwnToken()).review(ID, 4, "Clear and new.")).score == 4


async def test_score_of_a_proposal(pact: RecordedPact) -> None:
    score = {"average": match.number(4.0), "count": match.int(1)}
    (
        pact.identified("a question for proposals that were reviewed")
        .given("a proposal with a review")
        .with_request("GET", "/proposals")
        .with_query_parameter("limit", "50")
        .will_respond_with(200)
        .with_body(
            {"items": some(proposal(score=score)), "next_cursor": None, "counts": COUNTS}, JSON
        )
    )
    async with pact.neighbour() as c4p:
        page = await C4p(c4p, OwnToken()).proposals()
    assert page.items[0].score is not None
