"""email-service as a program."""

from collections.abc import Callable

import pytest

from testkit.ports import free_port
from testkit.process import Program
from testkit.service import PATIENT, Identities, service


@pytest.fixture(scope="session")
def make_email_service(identities: Identities) -> Callable[..., Program]:
    """Make the program of a service with a ledger at `valkey_url` and a relay at `smtp_port`."""

    def make(valkey_url: str, smtp_port: int, **env: str) -> Program:
        own = {
            **identities.verifying,
            **PATIENT,
            "METRICS_PORT": str(free_port()),
            "VALKEY_URL": valkey_url,
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(smtp_port),
            "SMTP_TLS": "none",
            "MAIL_FROM": "conference@example.org",
            "CONFERENCE_NAME": "Example Conference 2027",
        }
        return service("email-service", "email_service.main", free_port(), {**own, **env})

    return make
