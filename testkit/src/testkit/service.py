"""A service of ours as a process, and the identities that it has at an OpenID provider."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

from testkit.process import Program, answers

PATIENT: Mapping[str, str] = {
    "DATABASE_TIMEOUT_SECONDS": "10",
    "NEIGHBOUR_SECONDS": "15",
    "VALKEY_TIMEOUT_SECONDS": "10",
}
"""Settings for tests in which nobody is kept waiting by a fault: what is slow because the machine
is busy does not count as unavailable. A service leaves alone what is not its own.
"""


@dataclass(frozen=True, slots=True)
class Identities:
    """The OpenID provider, and the key from which the secrets of our own services are made."""

    issuer: str
    client_key: str = "of the tests alone"

    def secret(self, client: str) -> str:
        """Return what `client` authenticates by; nothing that production would take."""
        return f"development-{client}-{self.client_key}"

    @property
    def verifying(self) -> Mapping[str, str]:
        """The settings of a service that only verifies tokens."""
        return {"OIDC_ISSUER": self.issuer}

    def of(self, client: str) -> Mapping[str, str]:
        """Return the settings of a service that has an identity too."""
        own = {"OIDC_CLIENT_ID": client, "OIDC_CLIENT_SECRET": self.secret(client)}
        return {**self.verifying, **own}


def service(name: str, module: str, port: int, env: Mapping[str, str]) -> Program:
    """Return how to run the service whose process is `python -m module`, at a port of 127.0.0.1."""
    url = f"http://127.0.0.1:{port}"
    own = {
        "PROFILE": "development",
        "PORT": str(port),
        "SHUTDOWN_GRACE_SECONDS": "5",
        # Which an image says of itself; what runs from a checkout has the version of its package.
        "SERVICE_VERSION": version(name),
    }
    return Program(
        name=name,
        command=[sys.executable, "-m", module],
        is_ready=lambda: answers(f"{url}/readyz"),
        env={**own, **env},
        url=url,
    )
