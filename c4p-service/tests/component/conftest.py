"""c4p-service as a process on a real PostgreSQL, with fakes for its neighbours."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
from alembic import command

from c4p.migrate import configuration
from testkit.fake import Answer, Call, FakeNeighbour, fake_neighbour
from testkit.issuer import Issuer
from testkit.process import Process, Program, running
from testkit.waiting import wait_for

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
    """No limits but the patient ones; a module that tests how limits are kept has its own."""
    return {}


@pytest.fixture(scope="module")
def service(
    postgres_server: Process,
    agenda: FakeNeighbour,
    email: FakeNeighbour,
    folder: Path,
    make_c4p_service: Callable[..., Program],
    limits: Mapping[str, str],
) -> Iterator[Process]:
    command.upgrade(configuration(postgres_server.url), "head")
    program = make_c4p_service(
        postgres_server.url, agenda_url=agenda.url, email_url=email.url, **{**FAST, **limits}
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
