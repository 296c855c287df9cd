"""Puts c4p-service together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
from pydantic import AnyHttpUrl

from c4p import office
from c4p.clients import AgendaClient, EmailClient, Links
from c4p.outbox import Outbox
from c4p.routes import PROBLEMS, router
from c4p.settings import C4pSettings
from c4p.store import Store
from servicekit.app import create_app, run
from servicekit.http import Neighbour
from servicekit.identity import verifying
from servicekit.provider import ClientCredentials, Provider


def create(settings: C4pSettings) -> FastAPI:
    """The service, with the outbox working beside its routes."""
    limit, url = settings.call_timeout_seconds, str(settings.database_url)
    store = Store(url, settings.database_pool_size, settings.database_timeout_seconds)
    links = Links(
        settings.link_key.get_secret_value(), str(settings.public_url), settings.link_days
    )
    provider = Provider(settings.oidc_issuer, settings.oidc_discovery_url)
    own = ClientCredentials(
        provider, settings.oidc_client_id, settings.oidc_client_secret.get_secret_value()
    )

    def neighbour(name: str, address: AnyHttpUrl) -> Neighbour:
        return Neighbour(name, str(address), timeout_seconds=limit, credentials=own)

    agenda = neighbour("agenda-service", settings.agenda_url)
    email = neighbour("email-service", settings.email_url)
    outbox = Outbox(store, AgendaClient(agenda), EmailClient(email, links), settings, url)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.store, app.state.links = store, links
        working = asyncio.create_task(outbox.run())
        try:
            async with verifying(app, settings):
                yield
            outbox.stop()
            await working
        finally:
            for resource in (agenda, email, provider, store):
                await resource.close()

    owned = {"the database's tables": lambda: outbox.has_schema}
    return create_app(
        "c4p-service",
        settings,
        [router, office.router],
        lifespan=lifespan,
        owned=owned,
        errors=PROBLEMS,
        traced=[PsycopgInstrumentor()],
    )


def main() -> None:
    """Serve until SIGTERM."""
    run(create, C4pSettings)


if __name__ == "__main__":
    main()
