"""The routes of agenda-service: from a request to a use case, and from its result to a response."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from agenda import use_cases
from agenda.domain import Actor, Schedule
from agenda.page_cache import PageCache
from agenda.problems import (
    AGENDA_FULL,
    SESSION_NOT_FOUND,
    SLOT_TAKEN,
    STALE_VERSION,
    UNKNOWN_SLOT,
)
from agenda.schemas import (
    Day,
    LastMoveOutput,
    ScheduleOutput,
    SessionListOutput,
    SessionOutput,
    SlotInput,
    TalkInput,
    Track,
    Version,
)
from agenda.store import Store
from servicekit.identity import Identity, demand
from servicekit.problems import responses

router = APIRouter()


async def _get_store(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


async def _get_schedule(request: Request) -> Schedule:
    schedule: Schedule = request.app.state.schedule
    return schedule


async def _get_page_cache(request: Request) -> PageCache:
    page_cache: PageCache = request.app.state.page_cache
    return page_cache


async def _get_organizer(identity: Annotated[Identity, Depends(demand("organizer"))]) -> Actor:
    return Actor(identity.name, identity.subject)


StoreDep = Annotated[Store, Depends(_get_store)]
ScheduleDep = Annotated[Schedule, Depends(_get_schedule)]
PageCacheDep = Annotated[PageCache, Depends(_get_page_cache)]
OrganizerDep = Annotated[Actor, Depends(_get_organizer)]

IfNoneMatch = Annotated[str, Header(description="the ETag of what you have")]
NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    304: {"description": "The same as under the ETag in If-None-Match"}
}


def _names(if_none_match: str, tag: str) -> bool:
    """Return True if the header If-None-Match names `tag`, so that the client has the page."""
    known = (each.strip().removeprefix("W/") for each in if_none_match.split(","))
    return any(each in {"*", f'"{tag}"'} for each in known)


def _page_response(tag: str, body: bytes | None) -> Response:
    """Return a page with its ETag, or a 304 if `body` is None."""
    return Response(
        body,
        status_code=304 if body is None else 200,
        media_type="application/json",
        # Clients may keep the page, but have to ask each time if it is still the same.
        headers={"ETag": f'"{tag}"', "Cache-Control": "no-cache"},
    )


@router.get("/sessions", response_model=SessionListOutput, responses=NOT_MODIFIED)
async def list_sessions(
    page_cache: PageCacheDep,
    day: Annotated[Day | None, Query(description="one day of the schedule, local")] = None,
    track: Annotated[Track | None, Query()] = None,
    if_none_match: IfNoneMatch = "",
) -> Response:
    """Return the agenda, whole or of one day or track; with a known ETag a cheap 304."""
    tag = await page_cache.current_tag()
    if _names(if_none_match, tag):
        return _page_response(tag, None)
    page = await page_cache.sessions_page(tag, day, track)
    return _page_response(page.tag, page.body)


@router.get("/sessions/{proposal_id}", responses=responses(SESSION_NOT_FOUND))
async def read_session(proposal_id: UUID, store: StoreDep, schedule: ScheduleDep) -> SessionOutput:
    """Return one session with its abstract."""
    session = await use_cases.find_session(store, schedule, proposal_id)
    return SessionOutput.model_validate(session)


@router.put(
    "/sessions/{proposal_id}",
    dependencies=[Depends(demand("agenda-writer"))],
    responses={
        201: {"model": SessionOutput, "description": "New, in the first free slot"},
        **responses(AGENDA_FULL, STALE_VERSION),
    },
)
async def put_session(
    proposal_id: UUID,
    talk: TalkInput,
    store: StoreDep,
    schedule: ScheduleDep,
    response: Response,
) -> SessionOutput:
    """Put a proposal on the agenda, or change the text of one that is there; its slot stays."""
    session, is_new = await use_cases.put_session(store, schedule, talk.to_talk(proposal_id))
    if is_new:
        response.status_code = 201
        response.headers["Location"] = f"/sessions/{proposal_id}"
    return SessionOutput.model_validate(session)


@router.put(
    "/sessions/{proposal_id}/slot",
    responses=responses(SESSION_NOT_FOUND, SLOT_TAKEN, UNKNOWN_SLOT),
)
async def move_session(
    proposal_id: UUID,
    slot: SlotInput,
    store: StoreDep,
    schedule: ScheduleDep,
    organizer: OrganizerDep,
) -> SessionOutput:
    """Move a session to a free slot, and record who moved it."""
    session = await use_cases.move_session(store, schedule, proposal_id, slot.slot_id, organizer)
    return SessionOutput.model_validate(session)


@router.get(
    "/sessions/{proposal_id}/move",
    dependencies=[Depends(demand("organizer", "auditor"))],
    responses=responses(SESSION_NOT_FOUND),
)
async def read_last_move(proposal_id: UUID, store: StoreDep) -> LastMoveOutput:
    """Return who moved the session last, and when."""
    return LastMoveOutput.from_move(await use_cases.find_last_move(store, proposal_id))


@router.delete(
    "/sessions/{proposal_id}",
    status_code=204,
    dependencies=[Depends(demand("agenda-writer", "repairer"))],
    responses=responses(STALE_VERSION),
)
async def remove_session(
    proposal_id: UUID,
    store: StoreDep,
    version: Annotated[Version | None, Query()] = None,
) -> None:
    """Remove a session from the agenda; without `version` whatever was seen before."""
    await use_cases.remove_session(store, proposal_id, version)


@router.get("/schedule", response_model=ScheduleOutput, responses=NOT_MODIFIED)
async def read_schedule(page_cache: PageCacheDep, if_none_match: IfNoneMatch = "") -> Response:
    """Return every slot of the configured schedule."""
    page = page_cache.schedule_page
    return _page_response(page.tag, None if _names(if_none_match, page.tag) else page.body)
