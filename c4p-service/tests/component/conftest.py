"""c4p-service as a process on a real PostgreSQL, with fakes for its neighbours."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
from alembic import command
from tests.patience import PATIENT

from c4p.migrate import configuration
from embedded import services
from embedded.fake import Answer, Call, FakeNeighbour, fake_neighbour
from embedded.process import Process, running
from servicekit.testing import Issuer, free_port, wait_for

LINK_KEY = "a key that only these tests use, at all"
FAST = {"OUTBOX_FIRST_WAIT_SECONDS": "0.05", "OUTBOX_LONGEST_WAIT_SECONDS": "0.2"}


Agree = Callable[[Call], Answer]


@pytest.fixture(scope="module")
def agenda(agree: Agree) -> Iterator[FakeNeighbour]:
    with fake_neighbour() as fake:
        fake.answer = agree
        yield fake


@pytest.fixture(scope="module")
def email(agree: Agree) -> Iterator[FakeNeighbour]:
    with fake_neighbour() as fake:
        fake.answer = agree
        yield fake


@pytest.fixture(scope="module")
def limits() -> Mapping[str, str]:
    """What a busy machine does not meet; a module that tests how limits are kept has its own."""
    return PATIENT["c4p-service"]


@pytest.fixture(scope="module")
def service(
    postgres_server: Process,
    agenda: FakeNeighbour,
    email: FakeNeighbour,
    folder: Path,
    identities: services.Identities,
    limits: Mapping[str, str],
) -> Iterator[Process]:
    command.upgrade(configuration(postgres_server.url), "head")
    urls = {"agenda": agenda.url, "email": email.url, "public": "http://site.example"}
    program = services.c4p(
        free_port(),
        free_port(),
        database_url=postgres_server.url,
        urls=urls,
        link_key=LINK_KEY,
        identities=identities,
        env={**FAST, **limits},
    )
    with running(program, folder) as process:
        yield process


@pytest.fixture(autouse=True)
def _clean(
    service: Process,
    postgres_server: Process,
    agenda: FakeNeighbour,
    email: FakeNeighbour,
    agree: Agree,
) -> Iterator[None]:
    yield
    for fake in (agenda, email):
        fake.answer = agree
    waiting = "SELECT 1 FROM deliveries WHERE state = 'waiting'"
    with psycopg.connect(postgres_server.url, autocommit=True) as connection:
        # Or a call that is under way would reach the fakes in the next test's time.
        wait_for(lambda: not connection.execute(waiting).rowcount, "every delivery", pause=0.01)
        connection.execute(
            "TRUNCATE proposals, events, reviews, actions, deliveries, idempotency_keys,"
            " call_window, consistency_reports"
        )
    for fake in (agenda, email):
        fake.calls.clear()


@pytest.fixture
def client(service: Process, issuer: Issuer) -> Iterator[httpx2.Client]:
    """A client of an organizer, to whom everything is open that is not a reviewer's alone."""
    headers = issuer.bearer("organizer", "auditor")
    with httpx2.Client(base_url=service.url, timeout=30, headers=headers) as session:
        yield session


@pytest.fixture
def nobody(service: Process) -> Iterator[httpx2.Client]:
    """A client of somebody who is not signed in."""
    with httpx2.Client(base_url=service.url, timeout=30) as session:
        yield session


@pytest.fixture
def query(postgres_server: Process) -> Callable[[str], list[tuple[Any, ...]]]:
    """The rows of an SQL query, read beside the service."""

    def run(sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(postgres_server.url) as connection:
            return connection.execute(sql.encode()).fetchall()

    return run


DRAFT = {
    "title": "Outboxes",
    "abstract": "Why calls belong in tables.",
    "speaker_name": "Ada Lovelace",
    "speaker_email": "ada@example.org",
}


@pytest.fixture
def submit(client: httpx2.Client) -> Callable[..., dict[str, Any]]:
    """Submit a proposal and get it as JSON."""

    def run(**fields: str) -> dict[str, Any]:
        answer = client.post("/proposals", json={**DRAFT, **fields})
        assert answer.status_code == 201, answer.text
        proposal: dict[str, Any] = answer.json()
        return proposal

    return run


def token_in(link: str) -> str:
    """The signed token of a speaker's link."""
    found = re.search(r"token=([\w.-]+)$", link)
    assert found is not None
    return found[1]
