"""The objects that live as long as the app, and the types by which a route asks for them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from frontend.agenda.cache import AgendaCache
from frontend.clients.agenda import Agenda
from frontend.clients.c4p import C4p
from frontend.clients.client import Client
from frontend.domain import RateLimit
from frontend.identity.access_tokens import AccessTokens
from frontend.identity.cookies import Sessions
from frontend.identity.openid import OpenId
from frontend.rate_limits import SIGN_IN, SUBMIT, RateLimits
from frontend.settings import FrontendSettings, Url
from frontend.store.agenda_file import AgendaFile
from frontend.store.rate_limits import SharedCounts
from frontend.store.tokens import TokenStore
from servicekit.http import Neighbour
from servicekit.identity import Verifier
from servicekit.provider import Provider


@asynccontextmanager
async def build(app: FastAPI, settings: FrontendSettings) -> AsyncIterator[None]:
    """Put the parts into `app.state`, and give back at the end what they hold."""

    def neighbour(name: str, url: Url) -> Neighbour:
        return Neighbour(
            name,
            str(url),
            timeout_seconds=settings.neighbour_seconds,
            connection_age_seconds=settings.connection_age_seconds,
        )

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
    state.access_tokens = AccessTokens(state.openid, store)
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
