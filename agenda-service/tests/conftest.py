"""agenda-service as a program."""

from collections.abc import Callable
from pathlib import Path

import pytest

from testkit.ports import free_port
from testkit.process import Program
from testkit.service import PATIENT, Identities, service

SCHEDULE = Path(__file__).with_name("schedule.toml")


@pytest.fixture(scope="session")
def schedule_file() -> Path:
    """The schedule of a small conference: two days, three rooms."""
    return SCHEDULE


@pytest.fixture(scope="session")
def make_agenda_service(identities: Identities) -> Callable[..., Program]:
    """Make the program of a service whose agenda is kept at `valkey_url`."""

    def make(valkey_url: str, **env: str) -> Program:
        own = {
            **identities.verifying,
            **PATIENT,
            "METRICS_PORT": str(free_port()),
            "VALKEY_URL": valkey_url,
            "SCHEDULE_FILE": str(SCHEDULE),
        }
        return service("agenda-service", "agenda.main", free_port(), {**own, **env})

    return make
