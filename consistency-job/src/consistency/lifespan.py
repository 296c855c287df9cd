"""What lives as long as the job: the services, as it asks them in its own name."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from consistency.clients import Services
from consistency.settings import JobSettings
from servicekit.provider import ClientCredentials, Provider


@asynccontextmanager
async def connected(settings: JobSettings) -> AsyncIterator[Services]:
    """The services; the connections are given back at the end."""
    urls = (str(settings.c4p_url), str(settings.agenda_url), str(settings.email_url))
    async with Provider.of(settings) as provider:
        own = ClientCredentials.of(provider, settings)
        async with Services(
            *urls,
            timeout_seconds=settings.call_timeout_seconds,
            credentials=own,
            for_email=own.scoped(settings.email_scope),
        ) as services:
            yield services
