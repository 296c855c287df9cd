"""The agenda as JSON, from the cache: the two routes of the gateway that no service sees."""

import re
from datetime import date
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from starlette.routing import BaseRoute

from frontend.agenda.cache import AgendaCache, AgendaView
from frontend.agenda.responses import JSON, FastRoute
from frontend.clients.schemas import Schedule, SessionList, Slot
from frontend.gateway.allowlist import PREFIX
from servicekit.http import NeighbourUnavailableError
from servicekit.problems import INVALID_REQUEST, Problem, unavailable

MAX_TRACK_LENGTH = 120
"""As agenda-service has it."""
MAX_PARAMETERS = 20

router = APIRouter(prefix=PREFIX, tags=["gateway"])


def fast_routes() -> list[BaseRoute]:
    """The routes of this module once more, to stand before all others."""
    return [
        FastRoute(f"{PREFIX}/sessions", get_sessions),
        FastRoute(f"{PREFIX}/schedule", get_schedule),
    ]


def _parameter(name: str, example: str) -> dict[str, object]:
    schema = {"type": "string", "maxLength": MAX_TRACK_LENGTH}
    return {"name": name, "in": "query", "required": False, "schema": schema, "example": example}


@router.get(
    "/sessions",
    responses={200: {"model": SessionList}, 304: {"description": "Not modified"}},
    openapi_extra={
        "parameters": [_parameter("day", "2027-06-14"), _parameter("track", "Platform")]
    },
)
async def get_sessions(request: Request) -> Response:
    """The agenda, all of it or what `day` and `track` leave of it.

    `Agenda-Source` says live, stale or saved; a saved agenda has `Agenda-Saved-At` too.
    """
    query: bytes = request.scope["query_string"]
    day, track = _filters(query) if query else (None, None)
    cache, view = await _agenda(request)
    if (day or track) and not any(_fits(each.slot, day, track) for each in view.sessions):
        # One answer for all that fits nothing: the memo must not grow with what visitors invent.
        day, track = None, "\0"

    def render() -> bytes:
        left = tuple(each for each in view.sessions if _fits(each.slot, day, track))
        return SessionList(items=left).model_dump_json().encode()

    return cache.response(request.scope, view, ("sessions", day, track), render, JSON)


@router.get(
    "/schedule",
    responses={200: {"model": Schedule}, 304: {"description": "Not modified"}},
)
async def get_schedule(request: Request) -> Response:
    """The days, rooms and slots of the conference."""
    cache, view = await _agenda(request)

    def render() -> bytes:
        return view.schedule.model_dump_json().encode()

    return cache.response(request.scope, view, "schedule", render, JSON)


async def _agenda(request: Request) -> tuple[AgendaCache, AgendaView]:
    cache: AgendaCache = request.app.state.cache
    try:
        return cache, await cache.view()
    except NeighbourUnavailableError as error:
        raise unavailable(error.neighbour) from error


def _filters(query: bytes) -> tuple[date | None, str | None]:
    try:
        pairs = parse_qsl(query.decode("ascii"), errors="strict", max_num_fields=MAX_PARAMETERS)
    except ValueError as error:
        detail = f"send at most {MAX_PARAMETERS} parameters, in UTF-8 and percent-encoded"
        raise _invalid("query", detail) from error
    given = dict(pairs)
    try:
        day = _day(given["day"]) if "day" in given else None
    except ValueError as error:
        raise _invalid("day", "give a day as 2027-06-14") from error
    track = given.get("track")
    if track is not None and len(track) > MAX_TRACK_LENGTH:
        raise _invalid("track", f"at most {MAX_TRACK_LENGTH} characters")
    return day, track


def _day(text: str) -> date:
    # ISO 8601 has weeks too, which agenda-service does not take.
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        raise ValueError
    return date.fromisoformat(text)


def _invalid(field: str, detail: str) -> Problem:
    errors = [{"field": field, "detail": detail}]
    return Problem(INVALID_REQUEST, f"Not valid: {field}.", errors=errors)


def _fits(slot: Slot, day: date | None, track: str | None) -> bool:
    return (day is None or slot.day == day) and (track is None or slot.track == track)
