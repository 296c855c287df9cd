"""The objects that live as long as the app: the ledger, the relay, the templates."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from email_service.clients import Relay
from email_service.rendering import Renderer
from email_service.settings import EmailSettings
from email_service.store import Ledger
from email_service.use_cases import PendingRecords
from servicekit.identity import verifying


@asynccontextmanager
async def build(app: FastAPI, settings: EmailSettings) -> AsyncIterator[None]:
    """Put into `app.state` what routes need, and close it at the end.

    Nothing here waits for Valkey or the relay, which may start later than the service.
    """
    url, timeout_seconds = str(settings.valkey_url), settings.valkey_timeout_seconds
    async with (
        Ledger(url, timeout_seconds, settings.sending_lease_seconds) as ledger,
        PendingRecords() as pending,
        verifying(app, settings),
    ):
        app.state.ledger = ledger
        app.state.pending = pending
        app.state.relay = Relay(settings)
        app.state.renderer = Renderer(settings.conference_name)
        yield
