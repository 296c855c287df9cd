"""email-service: the facade to SMTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from opentelemetry.instrumentation.redis import RedisInstrumentor

from email_service import routes
from email_service.clients import Relay
from email_service.rendering import Renderer
from email_service.schemas import ERRORS
from email_service.sending import Mailroom
from email_service.settings import EmailSettings
from email_service.store import Ledger
from servicekit.app import create_app, run
from servicekit.identity import verifying


def create(settings: EmailSettings) -> FastAPI:
    """The application."""
    renderer = Renderer(settings.conference_name)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        ledger = Ledger(str(settings.valkey_url), settings.sending_lease_seconds)
        app.state.mailroom = mailroom = Mailroom(ledger, Relay(settings), renderer)
        async with verifying(app, settings):
            yield
        await mailroom.close()
        await ledger.close()

    return create_app(
        "email-service",
        settings,
        [routes.router],
        lifespan=lifespan,
        errors=ERRORS,
        traced=[RedisInstrumentor()],
    )


def main() -> None:
    """Serve until SIGTERM."""
    run(create, EmailSettings)


if __name__ == "__main__":
    main()
