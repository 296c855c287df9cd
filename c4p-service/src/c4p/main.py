"""Puts c4p-service together."""

from functools import partial

from fastapi import FastAPI

from c4p.lifespan import build
from c4p.problems import PROBLEMS
from c4p.routes import ROUTERS
from c4p.settings import C4pSettings
from servicekit.app import create_app, run


def create(settings: C4pSettings) -> FastAPI:
    """The service, with the outbox working beside its routes."""
    app = create_app(
        "c4p-service",
        settings,
        ROUTERS,
        lifespan=partial(build, settings=settings),
        owned={"the database's tables": lambda: bool(app.state.outbox.has_schema.is_set())},
        errors=PROBLEMS,
        traced=["psycopg"],
    )
    return app


def main() -> None:
    """Serve until SIGTERM."""
    run(create, C4pSettings)


if __name__ == "__main__":
    main()
