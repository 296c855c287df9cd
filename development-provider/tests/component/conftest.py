"""The provider as a real process."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from testkit.process import Process, Program, running

SITE = "http://site.example"


@pytest.fixture(scope="module")
def service(folder: Path, make_provider: Callable[..., Program]) -> Iterator[Process]:
    with running(make_provider(folder / "provider", SITE), folder) as process:
        yield process


@pytest.fixture
def client(service: Process) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=service.url, timeout=10) as made:
        yield made
