"""agenda-service keeps the pacts with its consumers, on a real Valkey."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest
from redis import Redis

from testkit.contract.files import consumer_of, pacts_with
from testkit.contract.provider import Handlers, verify
from testkit.issuer import Issuer
from testkit.process import Process, Program, running

PROVIDER = "agenda-service"
ROLES = {
    "frontend": ("organizer", "reviewer"),
    "c4p-service": ("agenda-writer", "mail-sender"),
    "consistency-job": ("auditor", "repairer", "mail-sender"),
}
"""The roles that each consumer has; the frontend's are those of its people."""
SOMEBODY = "01975c2e-8f6a-7000-8000-00000000ffff"


@pytest.fixture(scope="module")
def service(
    valkey_server: Process, folder: Path, make_agenda_service: Callable[..., Program]
) -> Iterator[Process]:
    with running(make_agenda_service(valkey_server.url), folder) as process:
        yield process


class States:
    """The states of the agenda that consumers name."""

    def __init__(self, client: httpx2.Client, valkey_server: Process) -> None:
        self._client = client
        self._valkey = valkey_server

    def reset(self) -> None:
        """An agenda on which nothing ever was."""
        if not self._valkey.program.is_ready():
            self._valkey.start()
        with Redis.from_url(self._valkey.url) as valkey:
            valkey.flushall()

    def put(self, id: str, version: int = 1, slot_id: str | None = None) -> Mapping[str, Any]:  # noqa: A002 - the name in the pacts
        """A session; the ETag of the agenda that it is on."""
        talk = {"title": "Outboxes", "abstract": "Calls.", "speaker": "Ada", "version": version}
        self._client.put(f"/sessions/{id}", json=talk).raise_for_status()
        if slot_id is not None:
            moved = self._client.put(f"/sessions/{id}/slot", json={"slot_id": slot_id})
            moved.raise_for_status()
        return self.etags()

    def etags(self) -> Mapping[str, str]:
        """Return what a consumer knows that has read the agenda and the schedule."""
        names = {"agenda_etag": "/sessions", "schedule_etag": "/schedule"}
        return {name: self._client.get(path).headers["etag"] for name, path in names.items()}

    def taken(self, id: str, slot_id: str) -> None:  # noqa: A002 - the name in the pacts
        """A session, and another one in the slot that the first is to have."""
        self.put(SOMEBODY, slot_id=slot_id)
        self.put(id)

    def fill(self) -> None:
        """A session in every slot."""
        for number, _ in enumerate(self._client.get("/schedule").json()["slots"], start=1):
            self.put(f"01975c2e-8f6a-7000-9000-{number:012}")


@pytest.fixture
def states(service: Process, valkey_server: Process, issuer: Issuer) -> Iterator[States]:
    headers = issuer.bearer("agenda-writer", "organizer")
    with httpx2.Client(base_url=service.url, timeout=10, headers=headers) as client:
        yield States(client, valkey_server)


@pytest.mark.parametrize("pact", pacts_with(PROVIDER), ids=lambda path: path.stem)
def test_pact_is_kept(
    pact: Path, service: Process, states: States, valkey_server: Process, issuer: Issuer
) -> None:
    known: Handlers = {
        "a running service": lambda: None,
        "an empty agenda": states.etags,
        "an agenda with a session": states.put,
        "an agenda with a session, and another in the wanted slot": states.taken,
        "an agenda that is full": states.fill,
        "the store is unavailable": valkey_server.stop,
    }
    consumer = consumer_of(pact, PROVIDER)
    token = issuer.token(*ROLES[consumer], name=consumer)
    verify(pact, PROVIDER, service.url, known, states.reset, token)
