"""The organizers' page for the window of the call for proposals."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Response
from starlette.responses import RedirectResponse

from frontend.clients.client import ProblemAnswerError
from frontend.clients.schemas import Window
from frontend.dependencies import TheCache, ThePages
from frontend.domain import READ_METHODS, zone_named
from frontend.pages.context import schedule_or_none, window_or_none
from frontend.pages.forms import Filled, TheForm, refused_fields
from frontend.pages.permissions import Organizer, StaffC4p
from frontend.rendering import Pages, venue
from servicekit.http import NeighbourUnavailableError

INPUT_FORMAT = "%Y-%m-%dT%H:%M"
"""What a browser's datetime-local field takes and sends."""
NOT_A_TIME = "Enter a day and a time, such as 2027-01-31T18:00."
NO_SUCH_TIME = "There is no such time: the clocks are put forward over it. Choose another."
NOT_IN_ORDER = "The call must close after it opens."
NOT_SAVED = "It cannot be confirmed that this is saved: the service for it does not answer."

router = APIRouter(include_in_schema=False, prefix="/back-office")


@router.api_route("/window", methods=READ_METHODS)
async def window_page(
    pages: ThePages,
    cache: TheCache,
    c4p: StaffC4p,
    person: Organizer,
    saved: Annotated[str, Query()] = "",
) -> Response:
    """Show when proposals are taken, in the conference's own time."""
    schedule, window = await asyncio.gather(schedule_or_none(cache), c4p.cfp())
    around = venue(schedule)
    form = Filled(
        {
            "opens_at": local_text(window.opens_at, around["zone"]),
            "closes_at": local_text(window.closes_at, around["zone"]),
        }
    )
    return _page(pages, form, window, person=person, saved=bool(saved), **around)


@router.post("/window")
async def set_window(
    form: TheForm, pages: ThePages, cache: TheCache, c4p: StaffC4p, person: Organizer
) -> Response:
    """Set both bounds, in the zone that the form was shown in."""
    schedule = await schedule_or_none(cache)
    around = venue(schedule)
    zone = zone_named(form.get("zone")) or around["zone"]
    values = {name: form.get(name).strip() for name in ("opens_at", "closes_at")}
    bounds, errors = read_bounds(values, zone)
    status, lead = 422, ""
    try:
        if not errors:
            await c4p.set_cfp(bounds["opens_at"], bounds["closes_at"])
            return RedirectResponse("/back-office/window?saved=1", 303)
    except NeighbourUnavailableError:
        status, lead = 503, NOT_SAVED
    except ProblemAnswerError as error:
        errors = refused_fields(error, values)
        status, lead = error.status, "" if errors else str(error)
    window = None if status == 503 else await window_or_none(c4p)
    context = {**around, "zone": zone, "person": person, "saved": False}
    return _page(pages, Filled(values, errors), window, status=status, lead=lead, **context)


def _page(
    pages: Pages,
    form: Filled,
    window: Window | None,
    *,
    status: int = 200,
    lead: str = "",
    **context: Any,
) -> Response:
    return pages.private(
        "window.html",
        status=status,
        form=form,
        window=window,
        lead=lead,
        now=datetime.now(UTC),
        **context,
    )


def local_text(at: datetime | None, zone: ZoneInfo) -> str:
    """`at` for a datetime-local field; empty for no bound."""
    return at.astimezone(zone).strftime(INPUT_FORMAT) if at else ""


def read_bounds(
    values: dict[str, str], zone: ZoneInfo
) -> tuple[dict[str, datetime | None], dict[str, str]]:
    """Both bounds as UTC, None for no bound, and what is wrong with which."""
    bounds: dict[str, datetime | None] = {}
    errors: dict[str, str] = {}
    for name, text in values.items():
        try:
            bounds[name] = read_local(text, zone) if text else None
        except ValueError as error:
            bounds[name], errors[name] = None, str(error)
    opens, closes = bounds["opens_at"], bounds["closes_at"]
    if opens and closes and closes <= opens:
        errors["closes_at"] = NOT_IN_ORDER
    return bounds, errors


def read_local(text: str, zone: ZoneInfo) -> datetime:
    """A local time as UTC; ValueError with a sentence for a person when it is none.

    An hour that comes twice, when the clocks are put back, is taken as the first.
    """
    try:
        local = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(NOT_A_TIME) from error
    if local.tzinfo is not None:
        raise ValueError(NOT_A_TIME)
    try:
        at = local.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(NOT_A_TIME) from error
    if at.astimezone(zone).replace(tzinfo=None) != local:
        raise ValueError(NO_SUCH_TIME)
    return at
