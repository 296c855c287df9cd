"""The objects that live as long as the job: the clients of the services, with its credentials."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from consistency.clients import Services
from consistency.settings import JobSettings
from servicekit.provider import ClientCredentials, Provider


@asynccontextmanager
async def build(settings: JobSettings) -> AsyncIterator[Services]:
    """Yield the clients of all services, and close their connections at the end."""
    urls = (str(settings.c4p_url), str(settings.agenda_url), str(settings.email_url))
    async with Provider.of(settings) as provider:
        credentials = ClientCredentials.of(provider, settings)
        async with Services(
            *urls,
            timeout_seconds=settings.call_timeout_seconds,
            credentials=credentials,
            email_credentials=credentials.scoped(settings.email_scope),
        ) as services:
            yield services
