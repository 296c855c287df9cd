"""The expectations of consistency-job of agenda-service: sessions, slots, removal of a session."""

from typing import Any
from uuid import UUID

import pytest
from pact import match

from consistency.clients import AgendaClient
from consistency.domain import RemoveSession
from servicekit.http import NeighbourUnavailableError
from testkit.contract.consumer import JSON, STORE_UNAVAILABLE, RecordedPact, some, time

ID = "01975c2e-8f6a-7000-8000-000000000001"
SLOT = {
    "id": match.str("20270614T0900-main"),
    "starts_at": time("2027-06-14T07:00:00Z"),
    "room": {"id": match.str("main"), "name": match.str("Main Hall")},
}
SESSION_ON_AGENDA = "an agenda with a session"


async def test_sessions(pact: RecordedPact) -> None:
    session = {
        "proposal_id": ID,
        "title": match.str("Outboxes"),
        "speaker": match.str("Ada Lovelace"),
        "slot": SLOT,
    }
    (
        pact.upon_receiving("a question for all sessions")
        .given(SESSION_ON_AGENDA, id=ID)
        .with_request("GET", "/sessions")
        .will_respond_with(200)
        .with_body({"items": some(session)}, JSON)
    )
    async with pact.neighbour() as agenda:
        (found,) = await AgendaClient(agenda).list_sessions()
    assert (found.title, found.slot.room.name) == ("Outboxes", "Main Hall")


async def test_no_sessions(pact: RecordedPact) -> None:
    (
        pact.upon_receiving("a question for all sessions")
        .given("an empty agenda")
        .with_request("GET", "/sessions")
        .will_respond_with(200)
        .with_body({"items": []}, JSON)
    )
    async with pact.neighbour() as agenda:
        assert not await AgendaClient(agenda).list_sessions()


async def test_slots(pact: RecordedPact) -> None:
    (
        pact.upon_receiving("a question for all slots")
        .given("an empty agenda")
        .with_request("GET", "/schedule")
        .will_respond_with(200)
        .with_body({"slots": some(SLOT)}, JSON)
    )
    async with pact.neighbour() as agenda:
        (slot,) = await AgendaClient(agenda).list_slots()
    assert slot.id == "20270614T0900-main"


@pytest.mark.parametrize(
    ("what", "version", "seen", "status"),
    [
        ("of a known version", 2, 2, 204),
        ("of whatever version", None, 2, 204),
        # The agenda has heard of something newer, so there is nothing left to repair.
        ("of an old version", 1, 2, 409),
    ],
)
async def test_session_is_taken_off(
    pact: RecordedPact, what: str, version: int | None, seen: int, status: int
) -> None:
    params: dict[str, Any] = {} if version is None else {"version": str(version)}
    (
        pact.upon_receiving(f"the wish to take off a session {what}")
        .given(SESSION_ON_AGENDA, id=ID, version=seen)
        .with_request("DELETE", f"/sessions/{ID}")
        .with_query_parameters(params)
        .will_respond_with(status)
    )
    async with pact.neighbour() as agenda:
        await AgendaClient(agenda).remove_session(RemoveSession(UUID(ID), version))


async def test_agenda_without_its_store(pact: RecordedPact) -> None:
    (
        pact.upon_receiving("a question for all sessions")
        .given(STORE_UNAVAILABLE)
        .with_request("GET", "/sessions")
        .will_respond_with(503)
    )
    async with pact.neighbour() as agenda:
        with pytest.raises(NeighbourUnavailableError, match="503"):
            await AgendaClient(agenda).list_sessions()
