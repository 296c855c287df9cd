"""The expectations of consistency-job of c4p-service: proposals, deliveries, retries, reports."""

from typing import Any
from uuid import UUID

import pytest
from pact import match

from consistency.clients import C4pClient
from consistency.domain import DeliveryState
from servicekit.http import NeighbourUnavailableError
from testkit.contract.consumer import (
    JSON,
    STORE_UNAVAILABLE,
    RecordedPact,
    made,
    one_of,
    some,
    time,
)

ID = "01975c2e-8f6a-7000-8000-000000000001"
OTHER_ID = "01975c2e-8f6a-7000-8000-000000000002"
"""Ids that stand for those that c4p-service makes."""
PATH = made(f"/proposals/{ID}", "/proposals/${proposal_id}")
RETRY = made(f"/deliveries/{OTHER_ID}/retry", "/deliveries/${delivery_id}/retry")
PROPOSAL: dict[str, Any] = {
    "id": match.uuid(ID),
    "title": match.str("Outboxes"),
    "speaker_name": match.str("Ada Lovelace"),
    "state": one_of("submitted", "accepted", "rejected", "withdrawn"),
    "version": match.int(1),
    "updated_at": time(),
}
REPORT = {
    "id": OTHER_ID,
    "checked_at": "2027-01-10T09:00:00+00:00",
    "complete": True,
    "findings": [
        {
            "check": "missing-session",
            "subject": ID,
            "detail": "It is accepted and not on the agenda.",
            "cure": "Send it again.",
            "repaired": True,
        }
    ],
}


def delivery(state: str, **fields: Any) -> dict[str, Any]:
    """A delivery in this state, that has not failed and is not to be tried again."""
    return {
        "id": match.uuid(OTHER_ID),
        "proposal_id": match.uuid(ID),
        "target": one_of("email", "agenda"),
        "kind": one_of("received", "session", "accepted", "rejected", "withdrawn"),
        "state": state,
        "created_at": time(),
        "next_attempt_at": None,
        "delivered_at": None,
        "last_error": None,
        **fields,
    }


def expect_pages(pact: RecordedPact, what: str, item: dict[str, Any]) -> None:
    """Let `pact` have the questions for two pages of a list."""
    first = {"items": some(item), "next_cursor": match.uuid(OTHER_ID)}
    last = {"items": some(item), "next_cursor": None}
    cursor = {"cursor": made(OTHER_ID, f"${{{what}_cursor}}")}
    for which, params, page in (("first", {}, first), ("last", cursor, last)):
        (
            pact.upon_receiving(f"a question for the {which} page of all {what}")
            .given("more proposals and deliveries than a page has")
            .with_request("GET", f"/{what}")
            .with_query_parameters({"limit": "200", **params})
            .will_respond_with(200)
            .with_body(page, JSON)
        )


async def test_all_proposals(pact: RecordedPact) -> None:
    expect_pages(pact, "proposals", PROPOSAL)
    async with pact.neighbour() as c4p:
        found = await C4pClient(c4p).list_proposals()
    assert [str(each.id) for each in found] == [ID, ID]


async def test_all_deliveries(pact: RecordedPact) -> None:
    expect_pages(pact, "deliveries", delivery("delivered", delivered_at=time()))
    async with pact.neighbour() as c4p:
        found = await C4pClient(c4p).list_deliveries()
    assert [str(each.id) for each in found] == [OTHER_ID, OTHER_ID]


async def test_no_proposals(pact: RecordedPact) -> None:
    (
        pact.upon_receiving("a question for all proposals")
        .given("no proposals")
        .with_request("GET", "/proposals")
        .with_query_parameter("limit", "200")
        .will_respond_with(200)
        .with_body({"items": [], "next_cursor": None}, JSON)
    )
    async with pact.neighbour() as c4p:
        assert not await C4pClient(c4p).list_proposals()


@pytest.mark.parametrize("is_known", [True, False])
async def test_proposal(pact: RecordedPact, is_known: bool) -> None:
    answer = (
        pact.upon_receiving("a question for a proposal")
        .given("a submitted proposal" if is_known else "no proposals")
        .with_request("GET", PATH if is_known else f"/proposals/{ID}")
        .will_respond_with(200 if is_known else 404)
    )
    if is_known:
        answer.with_body(PROPOSAL, JSON)
    async with pact.neighbour() as c4p:
        found = await C4pClient(c4p).find_proposal(UUID(ID))
    assert (found is not None) is is_known


ERROR = match.str("503 The mail relay is unavailable.")


@pytest.mark.parametrize(
    ("state", "given", "fields"),
    [
        ("delivered", "a mail that has arrived", {"delivered_at": time()}),
        ("waiting", "a mail that waits", {"next_attempt_at": time(), "last_error": ERROR}),
        # By the status at its start the job tells a refusal from a service that was not there.
        (
            "failed",
            "a mail that was given up",
            {"last_error": match.regex("422 No such address.", regex="422 .*")},
        ),
    ],
)
async def test_deliveries_of_a_proposal(
    pact: RecordedPact, state: str, given: str, fields: dict[str, Any]
) -> None:
    (
        pact.upon_receiving("a question for the deliveries of a proposal")
        .given(given)
        .with_request("GET", "/deliveries")
        .with_query_parameter("proposal_id", made(ID, "${proposal_id}"))
        .with_query_parameter("limit", "200")
        .will_respond_with(200)
        .with_body({"items": some(delivery(state, **fields)), "next_cursor": None}, JSON)
    )
    async with pact.neighbour() as c4p:
        (found,) = await C4pClient(c4p).list_deliveries_of(UUID(ID))
    assert found.state is DeliveryState(state)
    assert found.was_refused is (state == "failed")


@pytest.mark.parametrize(
    ("given", "path", "status"),
    [
        ("a mail that was given up", RETRY, 202),
        ("a mail of a decision that no longer holds", RETRY, 409),
        ("no proposals", f"/deliveries/{OTHER_ID}/retry", 404),
    ],
)
async def test_retry(pact: RecordedPact, given: str, path: Any, status: int) -> None:
    (
        pact.upon_receiving("the wish to make a call again")
        .given(given)
        .with_request("POST", path)
        .will_respond_with(status)
    )
    async with pact.neighbour() as c4p:
        assert await C4pClient(c4p).retry_delivery(UUID(OTHER_ID)) is (status == 202)


async def test_report_is_kept(pact: RecordedPact) -> None:
    (
        pact.upon_receiving("a report")
        .given("no proposals")
        .with_request("PUT", "/consistency-reports")
        .with_body(REPORT, JSON)
        .will_respond_with(200)
    )
    async with pact.neighbour() as c4p:
        await C4pClient(c4p).save_report(REPORT)


async def test_proposals_without_their_store(pact: RecordedPact) -> None:
    (
        pact.upon_receiving("a question for all proposals")
        .given(STORE_UNAVAILABLE)
        .with_request("GET", "/proposals")
        .with_query_parameter("limit", "200")
        .will_respond_with(503)
    )
    async with pact.neighbour() as c4p:
        with pytest.raises(NeighbourUnavailableError, match="503"):
            await C4pClient(c4p).list_proposals()
