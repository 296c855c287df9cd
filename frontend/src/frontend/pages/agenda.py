"""The agenda, its sessions, and the agenda for other programs."""

import asyncio
from collections.abc import Callable
from uuid import UUID

from fastapi import APIRouter, HTTPException, Request, Response
from starlette.routing import BaseRoute

from frontend.agenda import exports
from frontend.agenda.cache import AgendaCache, AgendaView
from frontend.agenda.responses import FastRoute
from frontend.agenda.timetable import Choice, arrange, choose
from frontend.clients.agenda import Agenda
from frontend.clients.client import ProblemAnswerError
from frontend.clients.schemas import Session
from frontend.dependencies import TheAgenda, TheCache, ThePages, TheSettings
from frontend.domain import READ_METHODS
from frontend.pages.context import PATIENCE_SECONDS, agenda_or_none
from frontend.rendering import Pages, venue
from servicekit.http import NeighbourUnavailableError

router = APIRouter(include_in_schema=False)


async def agenda(request: Request) -> Response:
    """The agenda, or the part of it that is wanted."""
    cache: AgendaCache = request.app.state.cache
    view = await cache.view()
    wanted = request.query_params if request.scope["query_string"] else {}
    choice = choose(view.schedule, *(wanted.get(name, "") for name in ("day", "room", "track")))
    page = _agenda_page(request.app.state.pages, view, choice)
    return cache.response(request.scope, view, ("page", choice), page)


router.add_api_route("/agenda", agenda, methods=READ_METHODS)


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


@router.api_route("/agenda.ics", methods=READ_METHODS)
async def agenda_ics(request: Request, cache: TheCache, settings: TheSettings) -> Response:
    """The agenda as a calendar to subscribe to."""
    view = await cache.view()

    def render() -> bytes:
        return exports.ics(settings.conference_name, view.sessions, view.confirmed_at)

    return cache.response(request.scope, view, "ics", render, exports.ICS)


@router.api_route("/agenda.jsonld", methods=READ_METHODS)
async def agenda_json_ld(request: Request, cache: TheCache, settings: TheSettings) -> Response:
    """The agenda as schema.org events."""
    view = await cache.view()

    def render() -> bytes:
        return exports.json_ld(settings.conference_name, view.sessions)

    return cache.response(request.scope, view, "jsonld", render, exports.JSON_LD)


@router.api_route("/agenda/{proposal_id}", methods=READ_METHODS)
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
