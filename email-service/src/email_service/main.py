"""The email-service program: its parts, and the command that serves them."""

from functools import partial

from fastapi import FastAPI

from email_service.lifespan import build
from email_service.problems import PROBLEMS
from email_service.routes import router
from email_service.settings import EmailSettings
from servicekit.app import create_app, run


def create(settings: EmailSettings) -> FastAPI:
    """Return the app; it works, and answers 503, while Valkey or the relay is unavailable."""
    return create_app(
        "email-service",
        settings,
        [router],
        lifespan=partial(build, settings=settings),
        errors=PROBLEMS,
        traced=["redis"],
    )


def main() -> None:
    """Serve until SIGTERM."""
    run(create, EmailSettings)


if __name__ == "__main__":
    main()
