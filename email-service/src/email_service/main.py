"""Puts email-service together."""

from functools import partial

from fastapi import FastAPI

from email_service.lifespan import build
from email_service.routes import router
from email_service.schemas import ERRORS
from email_service.settings import EmailSettings
from servicekit.app import create_app, run


def create(settings: EmailSettings) -> FastAPI:
    """The facade to SMTP; Valkey and the relay may come later."""
    return create_app(
        "email-service",
        settings,
        [router],
        lifespan=partial(build, settings=settings),
        errors=ERRORS,
        traced=["redis"],
    )


def main() -> None:
    """Serve until SIGTERM."""
    run(create, EmailSettings)


if __name__ == "__main__":
    main()
