"""The objects that live as long as the app: the store, the schedule and the cache of pages."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from agenda.domain import Room, make_schedule
from agenda.page_cache import Page, PageCache
from agenda.schemas import render_schedule, render_sessions
from agenda.settings import AgendaSettings
from agenda.store import Store
from servicekit.identity import verifying


@asynccontextmanager
async def build(app: FastAPI, settings: AgendaSettings) -> AsyncIterator[None]:
    """Put into `app.state` what routes need, and close it at the end.

    Nothing here waits for Valkey, which may start later than the service.
    """
    file = settings.schedule_file
    rooms = [Room(**dict(entry)) for entry in file.rooms]
    schedule = make_schedule(file.timezone, file.days, file.times, rooms)
    schedule_page = Page.from_body(render_schedule(schedule), settings.service_version)
    async with (
        verifying(app, settings),
        Store(str(settings.valkey_url), settings.valkey_timeout_seconds) as store,
    ):
        app.state.store = store
        app.state.schedule = schedule
        app.state.page_cache = PageCache(store, schedule, schedule_page, render_sessions)
        yield
