"""The first page."""

import asyncio
from datetime import UTC, datetime

from fastapi import APIRouter, Response

from frontend.agenda.timetable import upcoming
from frontend.dependencies import TheC4p, TheCache, ThePages
from frontend.domain import READ_METHODS
from frontend.pages.context import agenda_or_none, window_or_none
from frontend.rendering import venue

NEXT_SESSIONS = 6

router = APIRouter(include_in_schema=False)


@router.api_route("/", methods=READ_METHODS)
async def home(pages: ThePages, cache: TheCache, c4p: TheC4p) -> Response:
    """Show what the conference is, whether proposals are taken, and what comes next."""
    view, window = await asyncio.gather(agenda_or_none(cache), window_or_none(c4p))
    now = datetime.now(UTC)
    schedule = view.schedule if view else None
    return pages.response(
        "home.html",
        now=now,
        window=window,
        days=schedule.days if schedule else (),
        sessions=upcoming(view.sessions, now, NEXT_SESSIONS) if view else None,
        over=schedule is not None and all(slot.ends_at <= now for slot in schedule.slots),
        saved_at=view.saved_at if view else None,
        **venue(schedule),
    )
