"""What lives as long as the app, and the types by which a route asks for it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Request

from frontend.agenda_cache import AgendaCache
from frontend.clients import Agenda, C4p, Client
from frontend.domain import RateLimit
from frontend.openid import OpenId
from frontend.rate_limits import SIGN_IN, SUBMIT, RateLimits, SharedCounts
from frontend.session import Sessions
from frontend.settings import FrontendSettings, Url
from frontend.store import AgendaFile
from frontend.tokens import TokenStore, Wallet
from servicekit.http import Neighbour
from servicekit.identity import Verifier
from servicekit.provider import Provider


@asynccontextmanager
async def build(app: FastAPI, settings: FrontendSettings) -> AsyncIterator[None]:
    """Put the parts into `app.state`, and give back at the end what they hold."""

    def neighbour(name: str, url: Url) -> Neighbour:
        return Neighbour(name, str(url), timeout_seconds=settings.neighbour_seconds)

    state = app.state
    state.settings = settings
    session_key = settings.session_key.get_secret_value()
    state.sessions = Sessions(session_key, secure=settings.has_tls)
    provider = Provider.of(settings)
    state.openid = OpenId(
        provider,
        Verifier(provider, settings.oidc_audience),
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret.get_secret_value(),
        site=settings.site,
    )
    valkey, limit = str(settings.valkey_url), settings.valkey_timeout_seconds
    store = TokenStore(valkey, session_key, limit)
    state.wallet = Wallet(state.openid, store)
    state.agenda = Agenda(neighbour("agenda-service", settings.agenda_url))
    state.c4p = C4p(neighbour("c4p-service", settings.c4p_url))
    # Never called in anybody's name: what it were sent, it could use elsewhere.
    state.email = Client(neighbour("email-service", settings.email_url))
    state.cache = AgendaCache(
        state.agenda.neighbour,
        AgendaFile(settings.data_dir),
        settings.agenda_fresh_seconds,
    )
    counts = SharedCounts(valkey, limit)
    state.limits = RateLimits(
        counts,
        session_key,
        {
            SUBMIT: RateLimit(settings.submissions_per_ten_minutes),
            SIGN_IN: RateLimit(settings.sign_ins_per_ten_minutes),
        },
    )
    state.cache.start()
    try:
        yield
    finally:
        await state.cache.close()
        for resource in (state.agenda, state.c4p, state.email, provider, store, counts):
            await resource.close()


async def get_settings(request: Request) -> FrontendSettings:
    """The app's settings."""
    settings: FrontendSettings = request.app.state.settings
    return settings


async def get_agenda(request: Request) -> Agenda:
    """The app's agenda-service client."""
    client: Agenda = request.app.state.agenda
    return client


async def get_c4p(request: Request) -> C4p:
    """The app's c4p-service client."""
    client: C4p = request.app.state.c4p
    return client


async def get_email(request: Request) -> Client:
    """The app's email-service client."""
    client: Client = request.app.state.email
    return client


async def get_cache(request: Request) -> AgendaCache:
    """The app's agenda cache."""
    cache: AgendaCache = request.app.state.cache
    return cache


async def get_openid(request: Request) -> OpenId:
    """The app's OpenID provider."""
    openid: OpenId = request.app.state.openid
    return openid


async def get_wallet(request: Request) -> Wallet:
    """The app's tokens of who is signed in."""
    wallet: Wallet = request.app.state.wallet
    return wallet


TheOpenId = Annotated[OpenId, Depends(get_openid)]
TheWallet = Annotated[Wallet, Depends(get_wallet)]
TheSettings = Annotated[FrontendSettings, Depends(get_settings)]
TheAgenda = Annotated[Agenda, Depends(get_agenda)]
TheC4p = Annotated[C4p, Depends(get_c4p)]
TheEmail = Annotated[Client, Depends(get_email)]
TheCache = Annotated[AgendaCache, Depends(get_cache)]
