"""agenda-service as a real process on a real Valkey."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from redis import Redis
from uuid_utils.compat import uuid7

from testkit.issuer import Issuer
from testkit.process import Process, Program, running

Put = Callable[..., httpx2.Response]


@pytest.fixture(scope="session")
def service(
    valkey_server: Process, folder: Path, make_agenda_service: Callable[..., Program]
) -> Iterator[Process]:
    """The service with the schedule of the tests."""
    with running(make_agenda_service(valkey_server.url), folder) as process:
        yield process


@pytest.fixture
def valkey(valkey_server: Process) -> Iterator[Redis]:
    """A client of the service's Valkey, which is empty."""
    with Redis.from_url(valkey_server.url, decode_responses=True) as client:
        client.flushall()
        yield client


@pytest.fixture
def rights(issuer: Issuer) -> Mapping[str, str]:
    """The header of who may do everything."""
    return issuer.bearer("agenda-writer", "organizer")


@pytest.fixture
def client(service: Process, valkey: Redis, rights: Mapping[str, str]) -> Iterator[httpx2.Client]:
    """A client of the service that may do everything; its agenda is empty."""
    with httpx2.Client(base_url=service.url, timeout=30, headers=rights) as client:
        yield client


@pytest.fixture
def talk() -> Callable[..., dict[str, Any]]:
    """Makes the body of a PUT; every call another title."""

    def make(**fields: Any) -> dict[str, Any]:
        body = {"title": f"Talk {uuid4()}", "abstract": "About it.", "speaker": "Ada", "version": 1}
        return {**body, **fields}

    return make


@pytest.fixture
def new_id() -> Callable[[], str]:
    """Makes the id of a proposal."""
    return lambda: str(uuid7())


@pytest.fixture
def put(client: httpx2.Client, talk: Callable[..., dict[str, Any]]) -> Put:
    """PUTs a session; fields that are not named are made up."""

    def send(proposal_id: str, **fields: Any) -> httpx2.Response:
        return client.put(f"/sessions/{proposal_id}", json=talk(**fields))

    return send
