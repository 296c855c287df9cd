"""Fixtures that the tests of every folder share: the real backing services."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded.backing import mail_sink, postgres, valkey
from embedded.process import Process, running
from servicekit.testing import free_port

pytest_plugins = ["tests.contract.plugin"]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the data and the logs of this session's processes."""
    return tmp_path_factory.mktemp("processes")


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
