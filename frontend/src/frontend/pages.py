"""The pages for everybody: home, agenda, sessions and versions."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from fastapi import APIRouter, HTTPException, Request, Response
from starlette.routing import BaseRoute

from frontend import calendar
from frontend.agenda_cache import AgendaCache, AgendaView
from frontend.agenda_view import Choice, arrange, choose, upcoming
from frontend.answers import Session
from frontend.clients import Agenda, NeighbourUnavailableError, ProblemAnswerError
from frontend.finished import FastRoute
from frontend.lifespan import TheAgenda, TheC4p, TheCache, TheEmail, TheSettings
from frontend.rendering import Pages, ThePages, venue
from frontend.surroundings import PATIENCE_SECONDS, agenda_or_none, or_none, window_or_none
from servicekit.health import Info, own_info

NEXT_SESSIONS = 6
READ = ["GET", "HEAD"]

router = APIRouter(include_in_schema=False)


@router.api_route("/", methods=READ)
async def home(pages: ThePages, cache: TheCache, c4p: TheC4p) -> Response:
    """What the conference is, whether proposals are taken, and what comes next."""
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


async def agenda(request: Request) -> Response:
    """The agenda, or the part of it that is wanted."""
    cache: AgendaCache = request.app.state.cache
    view = await cache.view()
    wanted = request.query_params if request.scope["query_string"] else {}
    choice = choose(view.schedule, *(wanted.get(name, "") for name in ("day", "room", "track")))
    page = _agenda_page(request.app.state.pages, view, choice)
    return cache.response(request.scope, view, ("page", choice), page)


router.add_api_route("/agenda", agenda, methods=READ)


def fast_routes() -> list[BaseRoute]:
    """The most visited page once more, to stand before all others."""
    return [FastRoute("/agenda", agenda)]


def _agenda_page(pages: Pages, view: AgendaView, choice: Choice) -> Callable[[], bytes]:
    return lambda: pages.html(
        "agenda.html",
        arranged=arrange(view.sessions, view.schedule, choice),
        saved_at=view.saved_at,
        **venue(view.schedule),
    )


@router.api_route("/agenda.ics", methods=READ)
async def agenda_ics(request: Request, cache: TheCache, settings: TheSettings) -> Response:
    """The agenda as a calendar to subscribe to."""
    view = await cache.view()

    def render() -> bytes:
        return calendar.ics(settings.conference_name, view.sessions, view.confirmed_at)

    return cache.response(request.scope, view, "ics", render, calendar.ICS)


@router.api_route("/agenda.jsonld", methods=READ)
async def agenda_json_ld(request: Request, cache: TheCache, settings: TheSettings) -> Response:
    """The agenda as schema.org events."""
    view = await cache.view()

    def render() -> bytes:
        return calendar.json_ld(settings.conference_name, view.sessions)

    return cache.response(request.scope, view, "jsonld", render, calendar.JSON_LD)


@router.api_route("/agenda/{proposal_id}", methods=READ)
async def session_page(
    pages: ThePages, cache: TheCache, agenda: TheAgenda, proposal_id: UUID
) -> Response:
    """One session; without its abstract while only the saved agenda knows of it."""
    view = await agenda_or_none(cache)
    # While only a saved agenda is shown, nobody waits for a service that does not answer.
    live = None if view and view.saved_at else await _live(agenda, proposal_id)
    listed = view.sessions if view else ()
    saved = next((each for each in listed if each.proposal_id == proposal_id), None)
    if live is None and view is None:
        raise NeighbourUnavailableError(agenda.neighbour.name, "and no agenda is saved here yet")
    if live is None and saved is None:
        raise HTTPException(404)
    return pages.response(
        "session.html",
        session=live or saved,
        abstract=live.abstract if live else None,
        saved_at=view.saved_at if view and not live else None,
        **venue(view.schedule if view else None),
    )


async def _live(agenda: Agenda, proposal_id: UUID) -> Session | None:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await agenda.session(proposal_id)
    except ProblemAnswerError as error:
        raise HTTPException(404) from error
    except (NeighbourUnavailableError, TimeoutError):
        return None


@dataclass(frozen=True, slots=True)
class Service:
    """A service as the About page shows it; `info` is None while it does not answer."""

    name: str
    duty: str
    info: Info | None


@router.api_route("/about", methods=READ)
async def about(
    pages: ThePages, settings: TheSettings, agenda: TheAgenda, c4p: TheC4p, email: TheEmail
) -> Response:
    """Which build of every service answers just now, and where it runs."""
    neighbours = (
        (agenda, "The schedule and who speaks when"),
        (c4p, "Proposals and decisions"),
        (email, "Mails to speakers and organizers"),
    )
    infos = await asyncio.gather(*(or_none(client.info()) for client, _ in neighbours))
    own = Service(
        "frontend", "These pages, and the only door to the API", own_info("frontend", settings)
    )
    others = [
        Service(client.neighbour.name, duty, info)
        for (client, duty), info in zip(neighbours, infos, strict=True)
    ]
    return pages.response("about.html", services=[own, *others])
