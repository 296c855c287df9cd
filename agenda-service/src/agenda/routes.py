"""HTTP in, use case, HTTP out."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from agenda.domain import (
    AgendaFullError,
    Mover,
    SessionNotFoundError,
    SlotTakenError,
    StaleVersionError,
    UnknownSlotError,
)
from agenda.listing import Listing
from agenda.planning import Planning
from agenda.schemas import (
    AGENDA_FULL,
    SESSION_NOT_FOUND,
    SLOT_TAKEN,
    STALE_VERSION,
    UNKNOWN_SLOT,
    Day,
    MoveOutput,
    ScheduleOutput,
    SessionList,
    SessionOutput,
    SlotChoice,
    TalkInput,
    Track,
    Version,
)
from agenda.store import StoreUnavailableError
from servicekit.identity import Identity, demand
from servicekit.problems import UNAVAILABLE, ProblemType, responses

PROBLEMS: dict[type[Exception], ProblemType] = {
    SessionNotFoundError: SESSION_NOT_FOUND,
    AgendaFullError: AGENDA_FULL,
    StaleVersionError: STALE_VERSION,
    SlotTakenError: SLOT_TAKEN,
    UnknownSlotError: UNKNOWN_SLOT,
    StoreUnavailableError: UNAVAILABLE,
}
"""What the service's own errors are to its clients."""

UNCHANGED: dict[int | str, dict[str, Any]] = {
    304: {"description": "The same as under the ETag in If-None-Match"}
}

router = APIRouter()


async def _listing(request: Request) -> Listing:
    listing: Listing = request.app.state.listing
    return listing


async def _planning(request: Request) -> Planning:
    planning: Planning = request.app.state.planning
    return planning


TheListing = Annotated[Listing, Depends(_listing)]
ThePlanning = Annotated[Planning, Depends(_planning)]
IfNoneMatch = Annotated[str, Header(description="the ETag of what you have")]


def _has(if_none_match: str, tag: str) -> bool:
    known = (each.strip().removeprefix("W/") for each in if_none_match.split(","))
    return any(each in {"*", f'"{tag}"'} for each in known)


def _answer(tag: str, body: bytes | None) -> Response:
    return Response(
        body,
        status_code=304 if body is None else 200,
        media_type="application/json",
        # Keep it, but ask each time whether it is still the same.
        headers={"ETag": f'"{tag}"', "Cache-Control": "no-cache"},
    )


@router.get("/sessions", response_model=SessionList, responses=UNCHANGED)
async def list_sessions(
    listing: TheListing,
    day: Annotated[Day | None, Query(description="one day of the schedule, local")] = None,
    track: Annotated[Track | None, Query()] = None,
    if_none_match: IfNoneMatch = "",
) -> Response:
    """The agenda, whole or of one day or track; with a known ETag a 304 that costs little."""
    tag = await listing.current_tag()
    if _has(if_none_match, tag):
        return _answer(tag, None)
    page = await listing.page(tag, day, track)
    return _answer(page.tag, page.body)


@router.get("/sessions/{proposal_id}", responses=responses(SESSION_NOT_FOUND))
async def read_session(proposal_id: UUID, planning: ThePlanning) -> SessionOutput:
    """One session with its abstract."""
    return SessionOutput.model_validate(await planning.find(proposal_id))


@router.put(
    "/sessions/{proposal_id}",
    dependencies=[Depends(demand("agenda-writer"))],
    responses={
        201: {"model": SessionOutput, "description": "New, in the first free slot"},
        **responses(AGENDA_FULL, STALE_VERSION),
    },
)
async def put_session(
    proposal_id: UUID, talk: TalkInput, planning: ThePlanning, response: Response
) -> SessionOutput:
    """Put a proposal on the agenda, or say anew what it is about; its slot stays."""
    session, is_new = await planning.put(talk.talk(proposal_id))
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
    choice: SlotChoice,
    planning: ThePlanning,
    organizer: Annotated[Identity, Depends(demand("organizer"))],
) -> SessionOutput:
    """Move a session to a slot that is free; who moved it is on record."""
    by = Mover(organizer.name, organizer.subject, datetime.now(UTC))
    return SessionOutput.model_validate(await planning.move(proposal_id, choice.slot_id, by))


@router.get(
    "/sessions/{proposal_id}/move",
    dependencies=[Depends(demand("organizer", "auditor"))],
    responses=responses(SESSION_NOT_FOUND),
)
async def read_move(proposal_id: UUID, planning: ThePlanning) -> MoveOutput:
    """Who moved the session last, and when."""
    return MoveOutput.model_validate({"moved": await planning.last_move(proposal_id)})


@router.delete(
    "/sessions/{proposal_id}",
    status_code=204,
    dependencies=[Depends(demand("agenda-writer", "repairer"))],
    responses=responses(STALE_VERSION),
)
async def remove_session(
    proposal_id: UUID,
    planning: ThePlanning,
    version: Annotated[Version | None, Query()] = None,
) -> None:
    """Take a session off the agenda; without `version` whatever was seen before."""
    await planning.remove(proposal_id, version)


@router.get("/schedule", response_model=ScheduleOutput, responses=UNCHANGED)
async def read_schedule(listing: TheListing, if_none_match: IfNoneMatch = "") -> Response:
    """Every slot there is, from the configuration."""
    page = listing.schedule_page
    return _answer(page.tag, None if _has(if_none_match, page.tag) else page.body)
