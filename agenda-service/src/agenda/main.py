"""The agenda-service program: its parts, and the command that serves them."""

from functools import partial

from fastapi import FastAPI

from agenda.lifespan import build
from agenda.problems import PROBLEMS
from agenda.routes import router
from agenda.settings import AgendaSettings
from servicekit.app import create_app, run


def create(settings: AgendaSettings) -> FastAPI:
    """Return the app; it works, and answers 503, while Valkey is unavailable."""
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
