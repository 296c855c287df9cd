"""Expectations of agenda-service: a success names the proposal, a refusal its type."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from pact import match

from c4p.clients import AgendaClient, RefusedError, TryLaterError
from c4p.domain import Proposal, State
from testkit.contract.consumer import JSON, PROBLEM, STORE_UNAVAILABLE, RecordedPact

ID = "01975c2e-8f6a-7000-8000-000000000001"
PATH = f"/sessions/{ID}"
AT = datetime(2027, 1, 10, 9, tzinfo=UTC)
PROPOSAL = Proposal(
    id=UUID(ID),
    title="Outboxes",
    abstract="Why calls belong in tables.\n\nAnd how.",
    speaker_name="Ada Lovelace",
    speaker_email="ada@example.org",
    state=State.ACCEPTED,
    version=3,
    submitted_at=AT,
    updated_at=AT,
)
SESSION = {
    "title": "Outboxes",
    "abstract": "Why calls belong in tables.\n\nAnd how.",
    "speaker": "Ada Lovelace",
    "version": 3,
}


def refused(slug: str) -> dict[str, Any]:
    """As much of a problem as c4p-service reads; the detail is kept for the organizers."""
    return {"type": f"urn:problem:{slug}", "detail": match.str("Why it was refused.")}


async def test_accepted_proposal_gets_a_session(pact: RecordedPact) -> None:
    (
        pact.upon_receiving("an accepted proposal that is new")
        .given("an empty agenda")
        .with_request("PUT", PATH)
        .with_body(SESSION, JSON)
        .will_respond_with(201)
        .with_body({"proposal_id": ID}, JSON)
    )
    async with pact.neighbour() as agenda:
        await AgendaClient(agenda).put(PROPOSAL)


async def test_accepted_proposal_is_put_again(pact: RecordedPact) -> None:
    (
        pact.upon_receiving("an accepted proposal that has a session")
        .given("an agenda with a session", id=ID, version=3)
        .with_request("PUT", PATH)
        .with_body(SESSION, JSON)
        .will_respond_with(200)
        .with_body({"proposal_id": ID}, JSON)
    )
    async with pact.neighbour() as agenda:
        await AgendaClient(agenda).put(PROPOSAL)


async def test_overtaken_proposal_is_history(pact: RecordedPact) -> None:
    (
        pact.upon_receiving("an accepted proposal of which a newer version has come")
        .given("an agenda with a session", id=ID, version=4)
        .with_request("PUT", PATH)
        .with_body(SESSION, JSON)
        .will_respond_with(409)
        .with_body(refused("stale-version"), PROBLEM)
    )
    async with pact.neighbour() as agenda:
        await AgendaClient(agenda).put(PROPOSAL)


async def test_full_agenda_is_for_a_person(pact: RecordedPact) -> None:
    (
        pact.upon_receiving("an accepted proposal for which there is no slot")
        .given("an agenda that is full")
        .with_request("PUT", PATH)
        .with_body(SESSION, JSON)
        .will_respond_with(409)
        .with_body(refused("agenda-full"), PROBLEM)
    )
    async with pact.neighbour() as agenda:
        with pytest.raises(RefusedError, match="409 Why it was refused"):
            await AgendaClient(agenda).put(PROPOSAL)


async def test_agenda_without_its_store_is_tried_later(pact: RecordedPact) -> None:
    (
        pact.upon_receiving("an accepted proposal that can't be stored")
        .given(STORE_UNAVAILABLE)
        .with_request("PUT", PATH)
        .with_body(SESSION, JSON)
        .will_respond_with(503)
        .with_body(refused("unavailable"), PROBLEM)
    )
    async with pact.neighbour() as agenda:
        with pytest.raises(TryLaterError, match="503 Why it was refused"):
            await AgendaClient(agenda).put(PROPOSAL)


@pytest.mark.parametrize(
    ("what", "state", "params"),
    [
        ("that has a session", "an agenda with a session", {"id": ID, "version": 2}),
        ("that has no session", "an empty agenda", {}),
    ],
)
async def test_withdrawn_proposal_is_removed(
    pact: RecordedPact, what: str, state: str, params: dict[str, object]
) -> None:
    (
        pact.upon_receiving(f"a withdrawn proposal {what}")
        .given(state, params)
        .with_request("DELETE", PATH)
        .with_query_parameter("version", "3")
        .will_respond_with(204)
    )
    async with pact.neighbour() as agenda:
        await AgendaClient(agenda).remove(PROPOSAL)


async def test_overtaken_withdrawal_is_history(pact: RecordedPact) -> None:
    (
        pact.upon_receiving("a withdrawn proposal of which a newer version has come")
        .given("an agenda with a session", id=ID, version=4)
        .with_request("DELETE", PATH)
        .with_query_parameter("version", "3")
        .will_respond_with(409)
        .with_body(refused("stale-version"), PROBLEM)
    )
    async with pact.neighbour() as agenda:
        await AgendaClient(agenda).remove(PROPOSAL)
