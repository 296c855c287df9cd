"""The provider as a program, with the clients that the tests speak for."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from testkit.ports import free_port
from testkit.process import Program
from testkit.service import Identities, service

PASSCODE = "open sesame"
SCOPES = ("conference", "conference-mail")
ROLES = {
    "c4p-service": ("agenda-writer",),
    "consistency-job": ("auditor", "repairer", "mail-sender"),
}


@pytest.fixture(scope="session")
def make_provider() -> Callable[..., Program]:
    """Make the program of a provider; its people return to `site`, its key is kept in `data`."""

    def make(data: Path, site: str, **env: str) -> Program:
        port = free_port()
        identities = Identities("", "a key of tests")
        services = [
            {"id": name, "secret": identities.secret(name), "roles": roles, "scopes": SCOPES}
            for name, roles in ROLES.items()
        ]
        frontend = {
            "id": "frontend",
            "secret": identities.secret("frontend"),
            "roles": (),
            "redirect_uris": [f"{site}/sign-in/callback"],
            "signed_out_uris": [f"{site}/"],
        }
        own = {
            "METRICS_PORT": str(free_port()),
            "ISSUER": f"http://127.0.0.1:{port}",
            "PASSCODE": PASSCODE,
            "CLIENTS": json.dumps([frontend, *services]),
            "DATA_DIR": str(data),
        }
        return service("development-provider", "development_provider.main", port, {**own, **env})

    return make
