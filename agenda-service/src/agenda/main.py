"""Puts agenda-service together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from opentelemetry.instrumentation.redis import RedisInstrumentor

from agenda.domain import Room, plan
from agenda.listing import Listing, Page
from agenda.planning import Planning
from agenda.routes import PROBLEMS, router
from agenda.schemas import render_schedule, render_sessions
from agenda.settings import AgendaSettings
from agenda.store import Store
from servicekit.app import create_app, run
from servicekit.identity import verifying


def create(settings: AgendaSettings) -> FastAPI:
    """The service; Valkey may come later, and again."""
    file = settings.schedule_file
    schedule = plan(file.timezone, file.days, file.times, [Room(**dict(r)) for r in file.rooms])
    page = Page.of(render_schedule(schedule), settings.service_version)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with (
            verifying(app, settings),
            Store(str(settings.valkey_url), settings.valkey_timeout_seconds) as store,
        ):
            app.state.planning = Planning(store, schedule)
            app.state.listing = Listing(store, schedule, page, render_sessions)
            yield

    return create_app(
        "agenda-service",
        settings,
        [router],
        lifespan=lifespan,
        errors=PROBLEMS,
        traced=[RedisInstrumentor()],
    )


def main() -> None:
    """Serve until SIGTERM."""
    run(create, AgendaSettings)


if __name__ == "__main__":
    main()
