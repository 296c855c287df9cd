"""The objects that live as long as the app: clients, tokens, codes and attempts to sign in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from development_provider.domain import PasscodeAttempts
from development_provider.settings import ProviderSettings
from development_provider.store import Store, load_or_create_key
from development_provider.tokens import Tokens


@asynccontextmanager
async def build(app: FastAPI, settings: ProviderSettings) -> AsyncIterator[None]:
    """Put into `app.state` what routes need; nothing has to be closed at the end."""
    app.state.settings = settings
    app.state.clients = {client.id: client for client in settings.clients}
    app.state.tokens = Tokens(settings, load_or_create_key(settings.data_dir))
    app.state.store = Store()
    app.state.attempts = PasscodeAttempts()
    yield
