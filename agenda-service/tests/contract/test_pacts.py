"""agenda-service keeps the pacts with its consumers, on a real Valkey."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest
from redis import Redis
from tests.contract.files import pacts_with
from tests.contract.provider import Handlers, verify
from tests.patience import PATIENT

from embedded.process import Process, running
from embedded.services import Identities, agenda
from servicekit.testing import Issuer, free_port

PROVIDER = "agenda-service"
TokenOf = Callable[[Path], str]
SOMEBODY = "01975c2e-8f6a-7000-8000-00000000ffff"


@pytest.fixture(scope="module")
def service(valkey_server: Process, folder: Path, identities: Identities) -> Iterator[Process]:
    env = PATIENT["agenda-service"]
    program = agenda(free_port(), free_port(), valkey_server.url, identities, env=env)
    with running(program, folder) as process:
        yield process


class States:
    """What the consumers want the agenda to be."""

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
        """What a consumer knows that has read the agenda and the schedule."""
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
    pact: Path, service: Process, states: States, valkey_server: Process, token_of: TokenOf
) -> None:
    known: Handlers = {
        "a running service": lambda: None,
        "an empty agenda": states.etags,
        "an agenda with a session": states.put,
        "an agenda with a session, and another in the wanted slot": states.taken,
        "an agenda that is full": states.fill,
        "the store is unavailable": valkey_server.stop,
    }
    verify(pact, PROVIDER, service.url, known, states.reset, token_of(pact))
