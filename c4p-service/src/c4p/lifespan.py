"""Makes what lives as long as the app: the store, the clients, the outbox and the gauges."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI
from pydantic import AnyHttpUrl

from c4p import gauges
from c4p.clients import AgendaClient, EmailClient
from c4p.links import Links
from c4p.outbox import Outbox
from c4p.settings import C4pSettings
from c4p.store.database import Store
from servicekit.http import Neighbour
from servicekit.identity import verifying
from servicekit.provider import ClientCredentials, Provider


@asynccontextmanager
async def build(app: FastAPI, settings: C4pSettings) -> AsyncIterator[None]:
    """Make the store, the clients and the outbox in `app.state`, and close them at the end."""
    state, url = app.state, str(settings.database_url)
    async with AsyncExitStack() as held:
        provider = Provider.of(settings)
        held.push_async_callback(provider.close)
        own = ClientCredentials.of(provider, settings)

        def neighbour(name: str, address: AnyHttpUrl, credentials: ClientCredentials) -> Neighbour:
            made = Neighbour(
                name,
                str(address),
                timeout_seconds=settings.call_timeout_seconds,
                connection_age_seconds=settings.connection_age_seconds,
                credentials=credentials,
            )
            held.push_async_callback(made.close)
            return made

        state.store = Store(url, settings.database_pool_size, settings.database_timeout_seconds)
        held.push_async_callback(state.store.close)
        state.links = Links(
            settings.link_key.get_secret_value(), str(settings.public_url), settings.link_days
        )
        agenda = AgendaClient(neighbour("agenda-service", settings.agenda_url, own))
        for_email = own.scoped(settings.email_scope)
        email = neighbour("email-service", settings.email_url, for_email)
        state.email = EmailClient(email, state.links)
        state.outbox = Outbox(state.store, agenda, state.email, settings, url)
        measuring = asyncio.create_task(gauges.run(state.store, state.outbox.has_schema))
        held.callback(measuring.cancel)
        working = asyncio.create_task(state.outbox.run())
        async with verifying(app, settings):
            yield
        state.outbox.stop()
        await working
