"""What lives as long as the app: the planning on its store, and the agenda as it is told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from agenda.domain import Room, plan
from agenda.listing import Listing, Page
from agenda.planning import Planning
from agenda.schemas import render_schedule, render_sessions
from agenda.settings import AgendaSettings
from agenda.store import Store
from servicekit.identity import verifying


@asynccontextmanager
async def build(app: FastAPI, settings: AgendaSettings) -> AsyncIterator[None]:
    """Put the parts into `app.state`, and give all back at the end; Valkey may come later."""
    file = settings.schedule_file
    schedule = plan(file.timezone, file.days, file.times, [Room(**dict(r)) for r in file.rooms])
    page = Page.of(render_schedule(schedule), settings.service_version)
    async with (
        verifying(app, settings),
        Store(str(settings.valkey_url), settings.valkey_timeout_seconds) as store,
    ):
        app.state.planning = Planning(store, schedule)
        app.state.listing = Listing(store, schedule, page, render_sessions)
        yield
