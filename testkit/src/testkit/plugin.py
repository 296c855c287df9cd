"""Fixtures for the tests of every service: the real backing services and an OpenID provider."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from testkit.backing import mail_sink, postgres, valkey
from testkit.issuer import Issuer, running_issuer
from testkit.ports import free_port
from testkit.process import Process, running
from testkit.service import Identities


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
    with running_issuer() as made:
        yield made


@pytest.fixture(scope="session")
def identities(issuer: Issuer) -> Identities:
    """Return what services need to know of it."""
    return Identities(issuer.url)


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
