"""What lives as long as the app: the ledger, the relay, and the mailroom between them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from email_service.clients import Relay
from email_service.rendering import Renderer
from email_service.sending import Mailroom
from email_service.settings import EmailSettings
from email_service.store import Ledger
from servicekit.identity import verifying


@asynccontextmanager
async def build(app: FastAPI, settings: EmailSettings) -> AsyncIterator[None]:
    """Put the mailroom into `app.state`, and give all back at the end."""
    ledger = Ledger(
        str(settings.valkey_url), settings.valkey_timeout_seconds, settings.sending_lease_seconds
    )
    renderer = Renderer(settings.conference_name)
    app.state.mailroom = mailroom = Mailroom(ledger, Relay(settings), renderer)
    async with verifying(app, settings):
        yield
    await mailroom.close()
    await ledger.close()
