"""The organizers' page about what the consistency job found."""

import asyncio

from fastapi import APIRouter, Response

from frontend.dependencies import TheCache, ThePages
from frontend.domain import READ_METHODS
from frontend.pages.context import schedule_or_none
from frontend.pages.permissions import Organizer, StaffC4p
from frontend.rendering import venue

router = APIRouter(include_in_schema=False, prefix="/back-office")


@router.api_route("/consistency", methods=READ_METHODS)
async def consistency_page(
    pages: ThePages, cache: TheCache, c4p: StaffC4p, person: Organizer
) -> Response:
    """The latest reports, the newest first."""
    schedule, reports = await asyncio.gather(schedule_or_none(cache), c4p.reports())
    return pages.private("consistency.html", person=person, reports=reports, **venue(schedule))
