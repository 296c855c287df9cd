"""The frontend as a real process, and neighbours for it that do whatever a test wants."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx2
import pytest

from testkit.backing import valkey
from testkit.fake import ManyCallersServer
from testkit.issuer import Issuer
from testkit.ports import free_port
from testkit.process import Process, Program, running
from testkit.waiting import wait_for

SESSION_KEY = "k" * 40
LIMIT_SECONDS = 3.0
"""How long the frontend waits for others: a test sees it end, and a busy machine does not."""
JSON = {"Content-Type": "application/json"}


@dataclass
class Reply:
    """The answers of a fake service."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    drips: bool = False
    """Sends a byte now and then and never ends."""

    def payload(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body).encode()


@dataclass
class Received:
    """The requests that a fake service got."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class FakeService:
    """A real HTTP server whose answers a test decides; it can be frozen, killed and started."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.replies: dict[str, Reply | Callable[[Received], Reply]] = {}
        self.received: list[Received] = []
        self.answering = threading.Event()
        self.answering.set()
        self._server: _Server | None = None

    def start(self) -> None:
        self._server = _Server(self)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Stop as a killed process does: at once, connections too."""
        self.answering.set()
        if self._server is not None:
            self._server.end()
            self._server = None

    def reply_to(self, asked: Received) -> Reply:
        self.received.append(asked)
        wanted = self.replies.get(asked.target.partition("?")[0], Reply())
        return wanted(asked) if callable(wanted) else wanted


class _Server(ManyCallersServer):
    block_on_close = False

    def __init__(self, service: FakeService) -> None:
        self.service = service
        self.connections: set[socket.socket] = set()
        self.ended = threading.Event()
        super().__init__(("127.0.0.1", service.port), _Handler)

    def end(self) -> None:
        self.ended.set()
        self.shutdown()
        self.server_close()
        for connection in list(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Connections that a test has cut are no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        self._answer()

    def _answer(self) -> None:
        service = self.server.service
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        service.answering.wait()
        reply = service.reply_to(Received(self.command, self.path, headers, body))
        payload = b"" if reply.status in {204, 304} else reply.payload()
        self.send_response(reply.status)
        length = 100_000 if reply.drips else len(payload)
        for name, value in {**JSON, "Content-Length": str(length), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        while reply.drips and not self.server.ended.wait(0.05):
            self.wfile.write(b" ")
        self.wfile.write(payload)

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


SLOT = {
    "id": "20270614T0900-main",
    "day": "2027-06-14",
    "starts_at": "2027-06-14T07:00:00Z",
    "ends_at": "2027-06-14T07:45:00Z",
    "room": {"id": "main", "name": "Main Hall"},
    "track": "Platform",
}
LATER = {**SLOT, "id": "20270615T0900-main", "day": "2027-06-15", "track": "People"}
SCHEDULE = {
    "timezone": "Europe/Berlin",
    "days": ["2027-06-14", "2027-06-15"],
    "rooms": [{"id": "main", "name": "Main Hall", "track": "Platform"}],
    "slots": [SLOT, LATER],
}


class FakeAgenda(FakeService):
    """An agenda service with a version, honouring If-None-Match as the real one does."""

    def __init__(self) -> None:
        super().__init__()
        self.replies = {"/sessions": self._sessions, "/schedule": self._schedule}
        self.show()

    def show(self, *titles: str) -> None:
        """Let the agenda have these sessions, on the first day, then on the second."""
        self._items = [
            {
                "proposal_id": f"0192f0c0-0000-7000-8000-{number:012d}",
                "title": title,
                "speaker": "Ada",
                "slot": LATER if number else SLOT,
            }
            for number, title in enumerate(titles)
        ]
        self._etag = f'"{hash(titles)}"'

    def _sessions(self, asked: Received) -> Reply:
        return self._conditional(asked, self._etag, {"items": self._items})

    def _schedule(self, asked: Received) -> Reply:
        return self._conditional(asked, '"schedule"', SCHEDULE)

    def _conditional(self, asked: Received, etag: str, body: Any) -> Reply:
        if asked.headers.get("if-none-match") == etag:
            return Reply(304, headers={"ETag": etag})
        return Reply(200, body, {"ETag": etag})


class World:
    """A frontend with three fake neighbours; `start` may be called again after a stop."""

    def __init__(
        self,
        folder: Path,
        stack: ExitStack,
        issuer: Issuer,
        valkey_url: str,
        make_frontend: Callable[..., Program],
    ) -> None:
        self.issuer = issuer
        self.valkey_url = valkey_url
        self._make_frontend = make_frontend
        self.agenda = FakeAgenda()
        self.c4p = FakeService()
        self.email = FakeService()
        self.folder = folder
        self.data = folder / "data"
        self._stack = stack
        for service in (self.agenda, self.c4p, self.email):
            service.start()
            stack.callback(service.stop)

    def start(self, **env: str) -> Process:
        urls = {"agenda": self.agenda.url, "c4p": self.c4p.url, "email": self.email.url}
        limits = {
            "AGENDA_FRESH_SECONDS": "0.2",
            "NEIGHBOUR_SECONDS": str(LIMIT_SECONDS),
            "VALKEY_TIMEOUT_SECONDS": str(LIMIT_SECONDS),
        }
        program = self._make_frontend(self.data, self.valkey_url, urls, **{**limits, **env})
        self.frontend = self._stack.enter_context(running(program, self.folder))
        return self.frontend

    def client(self) -> httpx2.Client:
        """A client of the frontend, without any session."""
        return self._stack.enter_context(httpx2.Client(base_url=self.frontend.url, timeout=30))

    def signed_in(self, name: str, *roles: str) -> httpx2.Client:
        """A client of somebody who has signed in."""
        client = self.client()
        sign_in(client, self.issuer, name, *roles)
        return client


def sign_in(client: httpx2.Client, issuer: Issuer, name: str, *roles: str) -> httpx2.Response:
    """Let the issuer say that whoever has this browser is somebody; what the site answers."""
    issuer.person = {"name": name, "roles": list(roles)}
    asked = client.get("/sign-in")
    said = client.get(asked.headers["location"])
    return client.get(said.headers["location"])


def titles(agenda: httpx2.Response) -> list[str]:
    """Return what /api/sessions has answered, by title; nothing while there is no agenda."""
    if agenda.status_code == 503:
        return []
    return [each["title"] for each in agenda.json()["items"]]


def source(client: httpx2.Client) -> str:
    """Return where an agenda comes from just now; empty while there is none."""
    return client.get("/api/sessions").headers.get("agenda-source", "")


def wait_until_shown(client: httpx2.Client, *wanted: str) -> None:
    """Wait until exactly these titles are on the agenda."""
    wait_for(lambda: titles(client.get("/api/sessions")) == list(wanted), "the agenda")


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[Process]:
    """A Valkey that a test may stop."""
    with running(valkey(tmp_path / "valkey", free_port()), tmp_path) as process:
        yield process


@pytest.fixture
def world(
    tmp_path: Path, issuer: Issuer, valkey_server: Process, make_frontend: Callable[..., Program]
) -> Iterator[World]:
    """Fake neighbours that run, and a frontend that a test starts itself."""
    with ExitStack() as stack:
        yield World(tmp_path, stack, issuer, valkey_server.url, make_frontend)


@pytest.fixture(scope="module")
def shared_world(
    tmp_path_factory: pytest.TempPathFactory,
    issuer: Issuer,
    valkey_server: Process,
    make_frontend: Callable[..., Program],
) -> Iterator[World]:
    """As `world`, with a frontend that runs; for tests that leave it as it was."""
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("frontend")
        world = World(folder, stack, issuer, valkey_server.url, make_frontend)
        world.start()
        yield world
