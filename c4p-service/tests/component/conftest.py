"""c4p-service as a process on a real PostgreSQL, with fakes for its neighbours."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
from alembic import command

from c4p.migrate import configuration
from embedded import services
from embedded.fake import Answer, Call, FakeNeighbour, fake_neighbour
from embedded.process import Process, running
from servicekit.testing import Issuer, free_port

LINK_KEY = "a key that only these tests use, at all"
FAST = {
    "OUTBOX_FIRST_WAIT_SECONDS": "0.05",
    "OUTBOX_LONGEST_WAIT_SECONDS": "0.2",
    "OUTBOX_LEASE_SECONDS": "2",
    "CALL_TIMEOUT_SECONDS": "1",
    "DATABASE_TIMEOUT_SECONDS": "2",
}


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
def service(
    postgres_server: Process,
    agenda: FakeNeighbour,
    email: FakeNeighbour,
    folder: Path,
    identities: services.Identities,
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
        env=FAST,
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
    with psycopg.connect(postgres_server.url, autocommit=True) as connection:
        connection.execute(
            "TRUNCATE proposals, events, reviews, actions, deliveries, idempotency_keys,"
            " call_window, consistency_reports"
        )
    for fake in (agenda, email):
        fake.calls.clear()
        fake.answer = agree


@pytest.fixture
def client(service: Process, issuer: Issuer) -> Iterator[httpx2.Client]:
    """A client of an organizer, to whom everything is open that is not a reviewer's alone."""
    headers = issuer.bearer("organizer", "auditor")
    with httpx2.Client(base_url=service.url, timeout=10, headers=headers) as session:
        yield session


@pytest.fixture
def nobody(service: Process) -> Iterator[httpx2.Client]:
    """A client of somebody who is not signed in."""
    with httpx2.Client(base_url=service.url, timeout=10) as session:
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
