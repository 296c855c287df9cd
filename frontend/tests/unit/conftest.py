"""The pages over neighbours that live in memory: every answer is what a test says it is."""

import time
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
from fastapi import FastAPI, Response
from structlog.testing import capture_logs

from frontend import routes
from frontend.agenda.cache import AgendaCache
from frontend.clients.agenda import Agenda
from frontend.clients.c4p import C4p
from frontend.clients.client import Client
from frontend.domain import RateLimit, SignInRequiredError, Tokens
from frontend.identity.access_tokens import AccessTokens
from frontend.identity.cookies import Sessions
from frontend.identity.openid import OpenId
from frontend.rate_limits import SIGN_IN, SUBMIT, RateLimits
from frontend.settings import FrontendSettings
from frontend.store.agenda_file import AgendaFile, SavedAgenda
from frontend.store.rate_limits import OwnCounts
from frontend.store.tokens import STORE, TokenStore
from servicekit import problems
from servicekit.app import create_app
from servicekit.http import Neighbour, NeighbourUnavailableError
from servicekit.identity import Identity, Verifier
from servicekit.provider import Provider
from testkit.issuer import Issuer

ISSUER = "http://issuer.example"
TOKEN = "access.token.of-theirs"
PROPOSAL_ID = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
SCHEDULE: dict[str, Any] = {
    "timezone": "Europe/Berlin",
    "days": ["2027-06-14", "2027-06-15"],
    "rooms": [
        {"id": "main", "name": "Main Hall", "track": "Platform"},
        {"id": "garden", "name": "Garden Room", "track": "People"},
    ],
    "slots": [
        {
            "id": f"{day.replace('-', '')}T0900-{room}",
            "day": day,
            "starts_at": f"{day}T07:00:00Z",
            "ends_at": f"{day}T07:45:00Z",
            "room": {"id": room, "name": name},
            "track": track,
        }
        for day in ("2027-06-14", "2027-06-15")
        for room, name, track in (
            ("main", "Main Hall", "Platform"),
            ("garden", "Garden Room", "People"),
        )
    ],
}
SESSION: dict[str, Any] = {
    "proposal_id": str(PROPOSAL_ID),
    "title": "Canaries & <b>cages</b>",
    "speaker": "Ada Example",
    "slot": SCHEDULE["slots"][0],
}
PROPOSAL: dict[str, Any] = {
    "id": str(PROPOSAL_ID),
    "title": "Canaries",
    "abstract": "About birds.",
    "speaker_name": "Ada Example",
    "speaker_email": "ada@example.org",
    "state": "submitted",
    "version": 1,
    "submitted_at": "2026-01-01T10:00:00Z",
    "updated_at": "2026-01-01T10:00:00Z",
    "decided_at": None,
    "message": None,
}
OPEN = {"opens_at": None, "closes_at": None, "open": True}
COUNTS = {"submitted": 1, "accepted": 2, "rejected": 0, "withdrawn": 0}


class Neighbours:
    """The answers of the other services, by method and path; what is not said is unavailable."""

    def __init__(self) -> None:
        self.requests: list[httpx2.Request] = []
        self._answers: dict[tuple[str, str], httpx2.Response] = {}
        self.answer("GET", "/sessions", {"items": [SESSION]})
        self.answer("GET", "/schedule", SCHEDULE)
        self.answer("GET", "/cfp", OPEN)

    def answer(self, method: str, path: str, body: Any, status: int = 200) -> None:
        """Let `path` answer `body`."""
        self._answers[method, path] = httpx2.Response(status, json=body)

    def refuse(self, method: str, path: str, slug: str, status: int, **members: Any) -> None:
        """Let `path` answer a problem."""
        kind = problems.ProblemType(slug, status, slug, "")
        self.answer(method, path, problems.Problem(kind, f"{slug}.", **members).document(), status)

    def fail(self, method: str, path: str) -> None:
        """Let `path` not answer."""
        self._answers.pop((method, path), None)

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        """The transport's side."""
        self.requests.append(request)
        answer = self._answers.get((request.method, request.url.path))
        if answer is None:
            raise httpx2.ConnectTimeout("unavailable")
        return httpx2.Response(answer.status_code, content=answer.content)

    def sent(self, method: str, path: str) -> list[httpx2.Request]:
        """The requests that came to `path`."""
        return [each for each in self.requests if (each.method, each.url.path) == (method, path)]


class NoFile(AgendaFile):
    """A disk that keeps nothing."""

    def __init__(self) -> None:
        pass

    def load(self) -> SavedAgenda | None:
        return None

    def save(self, saved: SavedAgenda) -> None:
        pass


class MemoryStore(TokenStore):
    """A store that may be unavailable."""

    def __init__(self) -> None:
        self.kept: dict[str, Tokens] = {}
        self.ended: set[str] = set()
        self.is_unavailable = False

    def _check(self) -> None:
        if self.is_unavailable:
            raise NeighbourUnavailableError(STORE, "unavailable")

    async def put(self, handle: str, tokens: Tokens) -> None:
        self._check()
        if handle in self.ended:
            raise SignInRequiredError
        self.kept[handle] = tokens

    async def get(self, handle: str) -> Tokens | None:
        self._check()
        if handle in self.ended:
            raise SignInRequiredError
        return self.kept.get(handle)

    async def end(self, handle: str) -> None:
        self._check()
        self.kept.pop(handle, None)
        self.ended.add(handle)


class FakeProvider:
    """An OpenID provider that may be down, the site's side of it, and a clock for the tokens."""

    def __init__(self) -> None:
        self.issuer = Issuer(ISSUER)
        self.is_unavailable = False
        self.later = 0.0
        self.store = MemoryStore()
        provider = Provider(ISSUER, transport=httpx2.MockTransport(self._handle))
        self.openid = OpenId(
            provider,
            Verifier(provider, "conference"),
            client_id="frontend",
            client_secret="development-frontend",
            site="http://site",
            now=self.now,
        )
        self.access_tokens = self.new_access_tokens()

    def new_access_tokens(self) -> AccessTokens:
        """That of another process."""
        return AccessTokens(self.openid, self.store, now=self.now)

    def now(self) -> float:
        """Return what the clock shows."""
        return time.time() + self.later

    def _handle(self, request: httpx2.Request) -> httpx2.Response:
        if self.is_unavailable:
            raise httpx2.ConnectError("unavailable")
        return self.issuer.handle(request)

    async def cookie(self, app: FastAPI, name: str, *roles: str) -> dict[str, str]:
        """The cookies of somebody who has signed in."""
        response, now = Response(), datetime.now(UTC)
        identity = Identity(f"subject-of-{name}", name, frozenset(roles), None, 0)
        sessions: Sessions = app.state.sessions
        tokens = Tokens(TOKEN, "refresh", "id", time.time() + 1800, time.time() + 3600)
        await self.access_tokens.put(sessions.start(response, identity, now), tokens)
        cookies = [each.partition(";")[0] for each in response.headers.getlist("set-cookie")]
        return dict([cookies[0].split("=", 1)])


@pytest.fixture
def provider() -> FakeProvider:
    """The OpenID provider."""
    return FakeProvider()


@pytest.fixture
def neighbours() -> Neighbours:
    """The other services."""
    return Neighbours()


@pytest.fixture(scope="session")
def settings() -> FrontendSettings:
    """As in development."""
    return FrontendSettings.model_validate(
        {
            "profile": "development",
            "port": 1,
            "metrics_port": 1,
            "agenda_url": "http://agenda",
            "c4p_url": "http://c4p",
            "email_url": "http://email",
            "public_url": "http://site",
            "valkey_url": "redis://valkey",
            "oidc_issuer": ISSUER,
            "oidc_client_id": "frontend",
            "oidc_client_secret": "development-frontend",
            "session_key": "k" * 32,
            "data_dir": "unused",
            "conference_name": "Test & Conference",
        }
    )


@pytest.fixture(scope="session")
def assembled(settings: FrontendSettings) -> FastAPI:
    """Everything that the site answers, without neighbours; costly to make."""
    csp = routes.csp(settings.oidc_issuer)
    app = create_app("frontend", settings, routes.ROUTERS, csp=csp)
    routes.install(app, settings)

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("a fault of ours")

    return app


@pytest.fixture
async def app(
    assembled: FastAPI, settings: FrontendSettings, neighbours: Neighbours, provider: FakeProvider
) -> AsyncIterator[FastAPI]:
    """The pages over `neighbours`."""

    def neighbour(name: str) -> Neighbour:
        transport = httpx2.MockTransport(neighbours.handle)
        return Neighbour(name, f"http://{name}", timeout_seconds=1, transport=transport)

    state = assembled.state
    state.settings = settings
    state.sessions = Sessions("k" * 32, secure=False)
    state.openid = provider.openid
    state.access_tokens = provider.access_tokens
    state.agenda, state.c4p = Agenda(neighbour("agenda")), C4p(neighbour("c4p"))
    state.email = Client(neighbour("email"))
    state.limits = RateLimits(OwnCounts(), "k" * 32, {SUBMIT: RateLimit(3), SIGN_IN: RateLimit(30)})
    state.cache = AgendaCache(state.agenda.neighbour, NoFile(), 3600)
    yield assembled
    await state.cache.close()
    for client in (state.agenda, state.c4p, state.email):
        await client.close()


@pytest.fixture
def logged() -> Iterator[list[Any]]:
    """Return what is logged meanwhile."""
    with capture_logs() as logs:
        yield logs


@pytest.fixture
async def browser(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """A visitor's browser; it does not follow redirects."""
    async with _browser(app) as client:
        yield client


@pytest.fixture
async def organizer(app: FastAPI, provider: FakeProvider) -> AsyncIterator[httpx2.AsyncClient]:
    """An organizer's browser."""
    async with _browser(app, await provider.cookie(app, "Olga", "organizer")) as client:
        yield client


@pytest.fixture
async def reviewer(app: FastAPI, provider: FakeProvider) -> AsyncIterator[httpx2.AsyncClient]:
    """A reviewer's browser."""
    async with _browser(app, await provider.cookie(app, "Rita", "reviewer")) as client:
        yield client


@pytest.fixture
async def somebody(app: FastAPI, provider: FakeProvider) -> AsyncIterator[httpx2.AsyncClient]:
    """The browser of somebody who is signed in and has no role."""
    async with _browser(app, await provider.cookie(app, "Ada")) as client:
        yield client


def _browser(app: FastAPI, cookies: Mapping[str, str] | None = None) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app, raise_app_exceptions=False),
        base_url="http://site",
        headers={"Accept": "text/html", "Sec-Fetch-Site": "same-origin"},
        cookies=dict(cookies or {}),
    )


@pytest.fixture
def closed() -> Mapping[str, Any]:
    """A window of the call that is over."""
    past = datetime.now(UTC) - timedelta(days=1)
    return {"opens_at": None, "closes_at": past.isoformat(), "open": False}
