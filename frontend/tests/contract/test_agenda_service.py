"""The expectations of frontend of agenda-service: the agenda, its sessions, and to move them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pact import match

from frontend.agenda.cache import AgendaCache
from frontend.clients.agenda import Agenda
from frontend.clients.client import ProblemAnswerError
from frontend.domain import Source
from frontend.store.agenda_file import AgendaDocuments, AgendaFile, Document, SavedAgenda
from servicekit.http import Neighbour, NeighbourUnavailableError
from testkit.contract.consumer import (
    JSON,
    PROBLEM,
    STORE_UNAVAILABLE,
    OwnToken,
    RecordedPact,
    day,
    expect_info,
    made,
    problem,
    some,
    time,
)

ID = "01975c2e-8f6a-7000-8000-000000000001"
FIRST, SECOND = "20270614T0900-main", "20270614T0900-harbour"
SLOT: dict[str, Any] = {
    "id": match.str(FIRST),
    "day": day(),
    "starts_at": time("2027-06-14T07:00:00Z"),
    "ends_at": time("2027-06-14T07:45:00Z"),
    "room": {"id": match.str("main"), "name": match.str("Main Hall")},
    "track": match.str("Platform"),
}
LISTED: dict[str, Any] = {
    "proposal_id": ID,
    "title": match.str("Outboxes"),
    "speaker": match.str("Ada Lovelace"),
    "slot": SLOT,
}
SESSION: dict[str, Any] = {
    **LISTED,
    "abstract": match.str("Why calls belong in tables."),
    "version": match.int(3),
}
SCHEDULE = {
    "timezone": match.str("Europe/Berlin"),
    "days": some(day()),
    "rooms": some(
        {"id": match.str("main"), "name": match.str("Main Hall"), "track": match.str("Platform")}
    ),
    "slots": some(SLOT),
}
SESSION_ON_AGENDA = "an agenda with a session"
ETAG = match.regex('"r1"', regex=r'^(W/)?".*"$')


async def test_agenda(pact: RecordedPact) -> None:
    (
        pact.upon_receiving("a question for the agenda")
        .given(SESSION_ON_AGENDA, id=ID)
        .with_request("GET", "/sessions")
        .will_respond_with(200)
        .with_body({"items": some(LISTED)}, JSON)
    )
    async with pact.neighbour() as agenda:
        (session,) = (await Agenda(agenda).sessions()).items
    assert session.slot.room.name == "Main Hall"


async def test_empty_agenda(pact: RecordedPact) -> None:
    (
        pact.upon_receiving("a question for the agenda")
        .given("an empty agenda")
        .with_request("GET", "/sessions")
        .will_respond_with(200)
        .with_body({"items": []}, JSON)
    )
    async with pact.neighbour() as agenda:
        assert (await Agenda(agenda).sessions()).items == ()


async def test_session(pact: RecordedPact) -> None:
    (
        pact.upon_receiving("a question for a session")
        .given(SESSION_ON_AGENDA, id=ID)
        .with_request("GET", f"/sessions/{ID}")
        .will_respond_with(200)
        .with_body(SESSION, JSON)
    )
    async with pact.neighbour() as agenda:
        session = await Agenda(agenda).session(ID)
    assert session.abstract == "Why calls belong in tables."


async def test_unknown_session(pact: RecordedPact) -> None:
    (
        pact.upon_receiving("a question for a session that is not there")
        .given("an empty agenda")
        .with_request("GET", f"/sessions/{ID}")
        .will_respond_with(404)
        .with_body(problem("session-not-found", 404), PROBLEM)
    )
    async with pact.neighbour() as agenda:
        with pytest.raises(ProblemAnswerError) as refusal:
            await Agenda(agenda).session(ID)
    assert refusal.value.status == 404


async def test_schedule(pact: RecordedPact) -> None:
    (
        pact.upon_receiving("a question for the schedule")
        .given("an empty agenda")
        .with_request("GET", "/schedule")
        .will_respond_with(200)
        .with_body(SCHEDULE, JSON)
    )
    async with pact.neighbour() as agenda:
        schedule = await Agenda(agenda).schedule()
    assert schedule.slots[0].id == FIRST


async def test_move_to_a_free_slot(pact: RecordedPact) -> None:
    (
        pact.identified("the wish to move a session to a free slot")
        .given(SESSION_ON_AGENDA, id=ID, slot_id=FIRST)
        .with_request("PUT", f"/sessions/{ID}/slot")
        .with_body({"slot_id": SECOND}, JSON)
        .will_respond_with(200)
        .with_body({**SESSION, "slot": {**SLOT, "id": SECOND}}, JSON)
    )
    async with pact.neighbour() as agenda:
        session = await Agenda(agenda, OwnToken()).move(ID, SECOND)
    assert session.slot.id == SECOND


@pytest.mark.parametrize(
    ("what", "state", "params", "slot_id", "status", "slug"),
    [
        (
            "to a slot that is taken",
            "an agenda with a session, and another in the wanted slot",
            {"id": ID, "slot_id": FIRST},
            FIRST,
            409,
            "slot-taken",
        ),
        ("to no slot", SESSION_ON_AGENDA, {"id": ID}, "nowhere", 422, "unknown-slot"),
        ("that is not there", "an empty agenda", {}, FIRST, 404, "session-not-found"),
    ],
)
async def test_move_is_refused(
    pact: RecordedPact,
    what: str,
    state: str,
    params: dict[str, object],
    slot_id: str,
    status: int,
    slug: str,
) -> None:
    (
        pact.identified(f"the wish to move a session {what}")
        .given(state, params)
        .with_request("PUT", f"/sessions/{ID}/slot")
        .with_body({"slot_id": slot_id}, JSON)
        .will_respond_with(status)
        .with_body(problem(slug, status), PROBLEM)
    )
    async with pact.neighbour() as agenda:
        with pytest.raises(ProblemAnswerError) as refusal:
            await Agenda(agenda, OwnToken()).move(ID, slot_id)
    assert refusal.value.slug == slug


@pytest.mark.parametrize("is_moved", [True, False])
async def test_last_move(pact: RecordedPact, is_moved: bool) -> None:
    mover = {"name": match.str("Olga"), "subject": match.str("01975c2e"), "at": time()}
    params = {"id": ID, **({"slot_id": SECOND} if is_moved else {})}
    (
        pact.identified(
            f"a question for the last move of a {'moved' if is_moved else 'new'} session"
        )
        .given(SESSION_ON_AGENDA, params)
        .with_request("GET", f"/sessions/{ID}/move")
        .will_respond_with(200)
        .with_body({"moved": mover if is_moved else None}, JSON)
    )
    async with pact.neighbour() as agenda:
        moved = await Agenda(agenda, OwnToken()).last_move(ID)
    assert (moved is not None) is is_moved


async def test_agenda_without_its_store(pact: RecordedPact) -> None:
    (
        pact.upon_receiving("a question for the agenda")
        .given(STORE_UNAVAILABLE)
        .with_request("GET", "/sessions")
        .will_respond_with(503)
        .with_body(problem("unavailable", 503), PROBLEM)
    )
    async with pact.neighbour() as agenda:
        with pytest.raises(NeighbourUnavailableError, match="503: What happened"):
            await Agenda(agenda).sessions()


async def live_titles(neighbour: Neighbour, folder: Path) -> list[str]:
    """The titles on the agenda that a new cache shows first."""
    cache = AgendaCache(neighbour, AgendaFile(folder), fresh_seconds=60)
    cache.start()
    try:
        # It waits for the answers that are under way where there is nothing, or nothing recent.
        view = await cache.view()
    finally:
        await cache.close()
    assert view.source is Source.LIVE
    return [session.title for session in view.sessions]


async def test_agenda_that_the_cache_does_not_have(pact: RecordedPact, tmp_path: Path) -> None:
    for path, body in (("/sessions", {"items": some(LISTED)}), ("/schedule", SCHEDULE)):
        (
            pact.upon_receiving(f"the cache's first question for {path}")
            .given(SESSION_ON_AGENDA, id=ID)
            .with_request("GET", path)
            .will_respond_with(200)
            .with_header("ETag", ETAG)
            .with_body(body, JSON)
        )
    async with pact.neighbour() as agenda:
        assert await live_titles(agenda, tmp_path) == ["Outboxes"]
    saved = AgendaFile(tmp_path).load()
    assert saved is not None
    assert saved.documents.sessions.etag == '"r1"'


async def test_agenda_that_has_not_changed(pact: RecordedPact, tmp_path: Path) -> None:
    empty = '{"timezone": "Europe/Berlin", "days": [], "rooms": [], "slots": []}'
    documents = AgendaDocuments(
        sessions=Document(etag='"r1"', body='{"items": []}'),
        schedule=Document(etag='"s1"', body=empty),
    )
    AgendaFile(tmp_path).save(SavedAgenda(documents, datetime.now(UTC)))
    for path, etag, name in (
        ("/sessions", '"r1"', "agenda_etag"),
        ("/schedule", '"s1"', "schedule_etag"),
    ):
        (
            pact.upon_receiving(f"the cache's question whether {path} is still the same")
            .given(SESSION_ON_AGENDA, id=ID)
            .with_request("GET", path)
            .with_header("If-None-Match", made(etag, f"${{{name}}}"))
            .will_respond_with(304)
        )
    async with pact.neighbour() as agenda:
        assert await live_titles(agenda, tmp_path) == []


async def test_which_build_answers(pact: RecordedPact) -> None:
    expect_info(pact)
    async with pact.neighbour() as agenda:
        assert (await Agenda(agenda).info()).name == "agenda-service"
