"""Puts agenda-service together."""

from functools import partial

from fastapi import FastAPI

from agenda.lifespan import build
from agenda.routes import PROBLEMS, router
from agenda.settings import AgendaSettings
from servicekit.app import create_app, run


def create(settings: AgendaSettings) -> FastAPI:
    """The service; Valkey may come later, and again."""
    return create_app(
        "agenda-service",
        settings,
        [router],
        lifespan=partial(build, settings=settings),
        errors=PROBLEMS,
        traced=["redis"],
    )


def main() -> None:
    """Serve until SIGTERM."""
    run(create, AgendaSettings)


if __name__ == "__main__":
    main()
