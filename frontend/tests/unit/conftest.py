"""The pages over neighbours that live in memory: every answer is what a test says it is."""

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from frontend import site
from frontend.agenda_cache import AgendaCache
from frontend.clients import Agenda, C4p, Email
from frontend.session import COOKIE, Sessions
from frontend.settings import FrontendSettings
from frontend.store import AgendaFile, SavedAgenda
from servicekit import problems
from servicekit.app import create_app
from servicekit.http import Neighbour

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
    """What the other services answer, by method and path; what is not said is away."""

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
            raise httpx2.ConnectTimeout("away")
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
            "session_key": "k" * 32,
            "sign_in_passcode": "open sesame",
            "data_dir": "unused",
            "conference_name": "Test & Conference",
        }
    )


@pytest.fixture(scope="session")
def assembled(settings: FrontendSettings) -> FastAPI:
    """The pages and their errors, without the gateway and without neighbours; costly to make."""
    app = create_app("frontend", settings, site.ROUTERS, csp=site.CSP)
    site.install(app, settings.conference_name)

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("a fault of ours")

    return app


@pytest.fixture
async def app(
    assembled: FastAPI, settings: FrontendSettings, neighbours: Neighbours
) -> AsyncIterator[FastAPI]:
    """The pages over `neighbours`."""

    def neighbour(name: str) -> Neighbour:
        transport = httpx2.MockTransport(neighbours.handle)
        return Neighbour(name, f"http://{name}", timeout_seconds=1, transport=transport)

    state = assembled.state
    state.settings = settings
    state.sessions = Sessions("k" * 32, "open sesame")
    state.agenda, state.c4p = Agenda(neighbour("agenda")), C4p(neighbour("c4p"))
    state.email = Email(neighbour("email"))
    state.cache = AgendaCache(state.agenda.neighbour, NoFile(), 3600)
    yield assembled
    await state.cache.close()
    for client in (state.agenda, state.c4p, state.email):
        await client.close()


@pytest.fixture
def logged() -> Iterator[list[Any]]:
    """What is logged meanwhile."""
    with capture_logs() as logs:
        yield logs


@pytest.fixture
async def browser(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """A visitor's browser; it does not follow redirects."""
    async with _browser(app) as client:
        yield client


@pytest.fixture
async def organizer(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """An organizer's browser."""
    cookie = app.state.sessions.sign_in("Olga", "open sesame", datetime.now(UTC))
    async with _browser(app, {COOKIE: cookie}) as client:
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
