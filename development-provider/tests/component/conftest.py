"""The provider as a real process."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from embedded import services
from embedded.process import Process, running
from servicekit.testing import free_port

PASSCODE = "open sesame"
SITE = "http://site.example"


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[Process]:
    program = services.provider(
        free_port(),
        free_port(),
        passcode=PASSCODE,
        client_key="a key of tests",
        site=SITE,
        data=folder / "provider",
    )
    with running(program, folder) as process:
        yield process


@pytest.fixture
def client(service: Process) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=service.url, timeout=10) as made:
        yield made
