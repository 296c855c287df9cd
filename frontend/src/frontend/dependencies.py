"""The dependencies of routes: what lives as long as the app, and who asks."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request

from frontend.agenda.cache import AgendaCache
from frontend.clients.agenda import Agenda
from frontend.clients.c4p import C4p
from frontend.clients.client import Client
from frontend.domain import Person
from frontend.identity.access_tokens import AccessTokens
from frontend.identity.cookies import Sessions
from frontend.identity.openid import OpenId
from frontend.rate_limits import SIGN_IN, Attempts
from frontend.rendering import Pages
from frontend.settings import FrontendSettings


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


async def get_access_tokens(request: Request) -> AccessTokens:
    """The app's tokens of who is signed in."""
    access_tokens: AccessTokens = request.app.state.access_tokens
    return access_tokens


async def get_pages(request: Request) -> Pages:
    """The app's Pages."""
    pages: Pages = request.app.state.pages
    return pages


async def get_sessions(request: Request) -> Sessions:
    """The app's Sessions."""
    sessions: Sessions = request.app.state.sessions
    return sessions


async def get_visitor(request: Request) -> Person | None:
    """Return who is signed in, None for anybody else."""
    return (await get_sessions(request)).read(request.cookies, datetime.now(UTC))


async def get_attempts(request: Request) -> Attempts:
    """Those of `request`'s client, as the proxies in front tell who that is."""
    return Attempts(request.app.state.limits, request.client.host if request.client else "")


TheOpenId = Annotated[OpenId, Depends(get_openid)]
TheAccessTokens = Annotated[AccessTokens, Depends(get_access_tokens)]
TheSettings = Annotated[FrontendSettings, Depends(get_settings)]
TheAgenda = Annotated[Agenda, Depends(get_agenda)]
TheC4p = Annotated[C4p, Depends(get_c4p)]
TheEmail = Annotated[Client, Depends(get_email)]
TheCache = Annotated[AgendaCache, Depends(get_cache)]
ThePages = Annotated[Pages, Depends(get_pages)]
TheAttempts = Annotated[Attempts, Depends(get_attempts)]
TheSessions = Annotated[Sessions, Depends(get_sessions)]
Visitor = Annotated[Person | None, Depends(get_visitor)]
"""The type of a route's parameter that tells who is signed in, if anybody is."""


async def count_sign_in(attempts: TheAttempts) -> None:
    """For the dependencies of a route by which people sign in."""
    await attempts.count(SIGN_IN)
