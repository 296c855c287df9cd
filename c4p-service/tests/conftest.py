"""c4p-service as a program, and fakes of agenda-service and email-service that agree."""

import sys
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from testkit.fake import Answer, Call
from testkit.ports import free_port
from testkit.process import Program
from testkit.service import PATIENT, Identities, service


def sent(reference: str) -> dict[str, str]:
    """A mail about something, as email-service remembers it."""
    return {
        "key": "01975c2e-8f6a-7000-8000-000000000002:1",
        "template": "proposal-received",
        "to": "a***@example.org",
        "reference": reference,
        "state": "sent",
        "sent_at": "2027-01-10T09:00:01Z",
    }


def _agree(call: Call) -> Answer:
    if call.method == "DELETE":
        return Answer(204, b"")
    if call.method == "GET":
        (reference,) = parse_qs(urlsplit(call.path).query)["reference"]
        return Answer(200, {"items": [sent(reference)]})
    if call.path == "/emails":
        return Answer(202, {"key": call.headers["idempotency-key"]})
    return Answer(201, {"proposal_id": call.path.removeprefix("/sessions/")})


@pytest.fixture(scope="session")
def agree() -> Callable[[Call], Answer]:
    """The answer of a receiver that does what it is asked."""
    return _agree


@pytest.fixture(scope="session")
def make_c4p_service(identities: Identities) -> Callable[..., Program]:
    """Make the program of a service that keeps its proposals in a database."""

    def make(database_url: str, *, agenda_url: str, email_url: str, **env: str) -> Program:
        own = {
            **identities.of("c4p-service"),
            **PATIENT,
            "METRICS_PORT": str(free_port()),
            "DATABASE_URL": database_url,
            "AGENDA_URL": agenda_url,
            "EMAIL_URL": email_url,
            "PUBLIC_URL": "http://site.example",
            "LINK_KEY": "a key that only these tests use, at all",
        }
        return service("c4p-service", "c4p.main", free_port(), {**own, **env})

    return make


@pytest.fixture(scope="session")
def make_migration() -> Callable[..., Program]:
    """Make the program that migrates a database, then ends."""

    def make(database_url: str, **env: str) -> Program:
        return Program(
            name="migration",
            command=[sys.executable, "-m", "c4p.migrate"],
            is_ready=lambda: True,
            env={"DATABASE_URL": database_url, **env},
        )

    return make
