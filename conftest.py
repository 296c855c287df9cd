"""Fixtures that the tests of every folder share: the real backing services."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

# Or else pytest takes the folder of this name for the package.
import delivery  # noqa: F401
from embedded import fake
from embedded.backing import mail_sink, postgres, valkey
from embedded.process import Process, running
from embedded.services import SCOPES, SERVICE_ROLES, Identities
from servicekit.testing import Issuer, free_port

pytest_plugins = ["tests.contract.plugin"]


@pytest.fixture(scope="session")
def few_authorities(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """For tests of what runs here, which has no TLS or an authority of its own: every HTTP client
    would read all of the system's, which takes it 30 ms.
    """
    file = tmp_path_factory.mktemp("authorities") / "one.pem"
    trustme.CA().cert_pem.write_to_path(file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(file))
        yield


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, few_authorities: None) -> Path:
    """A folder for the data and the logs of this session's processes."""
    return tmp_path_factory.mktemp("processes")


@pytest.fixture(scope="session")
def issuer() -> Iterator[Issuer]:
    """An OpenID provider that says of everybody what a test wants."""
    with fake.issuer() as made:
        yield made


@pytest.fixture(scope="session")
def identities(issuer: Issuer) -> Identities:
    """What services need to know of it."""
    return Identities(issuer.url)


@pytest.fixture(scope="session")
def token_of(issuer: Issuer) -> Callable[[Path], str]:
    """What the consumer of a pact shows: its own roles and no more, or those of its people."""
    people = ("organizer", "reviewer")
    # One of them is a speaker too.
    speaker = {"email": "ada@example.org", "email_verified": True}

    def make(pact: Path) -> str:
        client = next(each for each in SERVICE_ROLES if pact.name.startswith(f"{each}-"))
        roles = SERVICE_ROLES[client]
        audience = SCOPES[pact.stem.endswith("-email-service")]
        said = {} if roles else speaker
        return issuer.token(*(roles or people), name=client, aud=audience, **said)

    return make


@pytest.fixture(scope="session")
def postgres_server(folder: Path) -> Iterator[Process]:
    """A real PostgreSQL with an empty database c4p."""
    with running(postgres(folder / "postgres", free_port()), folder) as process:
        yield process


@pytest.fixture(scope="session")
def valkey_server(folder: Path) -> Iterator[Process]:
    """A real Valkey, empty."""
    with running(valkey(folder / "valkey", free_port()), folder) as process:
        yield process


@pytest.fixture(scope="session")
def smtp_port() -> int:
    """The port of the mail sink's SMTP side."""
    return free_port()


@pytest.fixture(scope="session")
def mail_server(folder: Path, smtp_port: int) -> Iterator[Process]:
    """A real mail sink; its url has the page, and /api/messages/ as JSON."""
    with running(mail_sink(folder / "mail", smtp_port, free_port()), folder) as process:
        yield process
