"""email-service keeps the pacts with its consumers, on a real Valkey and a real mail sink."""

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest
from redis import Redis

from testkit.contract.files import consumer_of, pacts_with
from testkit.contract.provider import Handlers, verify
from testkit.issuer import Issuer
from testkit.process import Process, Program, running
from testkit.waiting import wait_for

PROVIDER = "email-service"
AUDIENCE = "conference-mail"
ROLES = {
    "frontend": ("organizer", "reviewer"),
    "c4p-service": ("agenda-writer", "mail-sender"),
    "consistency-job": ("auditor", "repairer", "mail-sender"),
}
"""The roles that each consumer has."""
MAIL = {
    "template": "proposal-received",
    "to": "ada@example.org",
    "reference": "01975c2e-8f6a-7000-8000-000000000001",
    "data": {
        "speaker_name": "Ada Lovelace",
        "title": "Outboxes",
        "link": "https://conference.example.org/proposals/1?token=abc",
    },
}


@pytest.fixture(scope="module")
def service(
    valkey_server: Process,
    mail_server: Process,
    smtp_port: int,
    folder: Path,
    make_email_service: Callable[..., Program],
) -> Iterator[Process]:
    program = make_email_service(valkey_server.url, smtp_port)
    with running(program, folder) as process:
        yield process


class States:
    """The states of mails that consumers name."""

    def __init__(self, client: httpx2.Client, valkey: Process, relay: Process) -> None:
        self._client = client
        self._valkey = valkey
        self._relay = relay
        self._background = ThreadPoolExecutor(1)
        self._under_way: Future[httpx2.Response] | None = None

    def reset(self) -> None:
        """No mail was ever sent, and all that the service needs is there."""
        if self._under_way is not None:
            self._relay.send(signal.SIGCONT)
            self._under_way.result().raise_for_status()
            self._under_way = None
        for process in (self._valkey, self._relay):
            if not process.program.is_ready():
                process.start()
        with Redis.from_url(self._valkey.url) as valkey:
            valkey.flushall()

    def sent(self, key: str = "1", **fields: Any) -> None:
        """A mail that the relay has taken."""
        self._post(key, fields).raise_for_status()

    def being_sent(self, key: str = "1", **fields: Any) -> None:
        """A mail that a relay is slow to take."""
        self._relay.send(signal.SIGSTOP)
        self._under_way = self._background.submit(self._post, key, fields)
        reference = {**MAIL, **fields}["reference"]
        wait_for(
            lambda: self._client.get("/emails", params={"reference": reference}).json()["items"],
            "the mail to be under way",
        )

    def _post(self, key: str, fields: dict[str, Any]) -> httpx2.Response:
        headers = {"Idempotency-Key": key}
        return self._client.post("/emails", json={**MAIL, **fields}, headers=headers)


@pytest.fixture
def states(
    service: Process, valkey_server: Process, mail_server: Process, issuer: Issuer
) -> Iterator[States]:
    headers = issuer.bearer("mail-sender", aud=AUDIENCE)
    with httpx2.Client(base_url=service.url, timeout=20, headers=headers) as client:
        yield States(client, valkey_server, mail_server)


@pytest.mark.parametrize("pact", pacts_with(PROVIDER), ids=lambda path: path.stem)
def test_pact_is_kept(
    pact: Path,
    service: Process,
    states: States,
    valkey_server: Process,
    mail_server: Process,
    issuer: Issuer,
) -> None:
    known: Handlers = {
        "a running service": lambda: None,
        "no mails": lambda: None,
        "a mail was sent": states.sent,
        "a mail is being sent": states.being_sent,
        "the mail relay is unavailable": mail_server.stop,
        "the store is unavailable": valkey_server.stop,
    }
    consumer = consumer_of(pact, PROVIDER)
    token = issuer.token(*ROLES[consumer], name=consumer, aud=AUDIENCE)
    verify(pact, PROVIDER, service.url, known, states.reset, token)
