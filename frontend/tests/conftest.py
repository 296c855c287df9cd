"""The frontend as a program."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from testkit.ports import free_port
from testkit.process import Program
from testkit.service import Identities, service


@pytest.fixture(scope="session")
def make_frontend(identities: Identities) -> Callable[..., Program]:
    """Make the program of a frontend; `urls` has `agenda`, `c4p` and `email`."""

    def make(data: Path, valkey_url: str, urls: Mapping[str, str], **env: str) -> Program:
        port = free_port()
        own = {
            **identities.of("frontend"),
            "METRICS_PORT": str(free_port()),
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "VALKEY_URL": valkey_url,
            "AGENDA_URL": urls["agenda"],
            "C4P_URL": urls["c4p"],
            "EMAIL_URL": urls["email"],
            # On one machine everybody has the same address.
            "SUBMISSIONS_PER_TEN_MINUTES": "600000",
            "SIGN_INS_PER_TEN_MINUTES": "600000",
            "SESSION_KEY": "k" * 40,
            "DATA_DIR": str(data),
            "CONFERENCE_NAME": "Example Conference 2027",
        }
        return service("frontend", "frontend.main", port, {**own, **env})

    return make
