"""The way to the platform for who means it ill: bytes as they are, and all that it wrote down."""

from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlsplit

import pytest
from tests.acceptance.site import Site

from embedded.platform import Platform
from testkit.fake import FakeNeighbour, fake_neighbour

SERVICES = ("agenda", "c4p", "email", "site")


class Raw:
    """Sends addresses as they are: other clients put them in order first."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        self._connection = HTTPConnection(parts.hostname, parts.port, timeout=10)

    def ask(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, body: str = ""
    ) -> tuple[HTTPResponse, str]:
        """The answer and its text."""
        self._connection.request(method, target, body or None, dict(headers or {}))
        answer = self._connection.getresponse()
        return answer, answer.read().decode()

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


@pytest.fixture
def raw(site: Site) -> Iterator[Raw]:
    """A way to the site."""
    made = Raw(site.url)
    yield made
    made.close()


@pytest.fixture
def stranger() -> Iterator[FakeNeighbour]:
    """A server that nobody of the platform has any business with."""
    with fake_neighbour() as fake:
        yield fake


@pytest.fixture
def logs(platform: Platform) -> Callable[[], dict[str, list[bytes]]]:
    """Return the log lines of each of our programs; a last one may still be under way."""
    names = ("agenda-service", "c4p-service", "email-service", "frontend")

    def read() -> dict[str, list[bytes]]:
        folder = platform.home.logs
        found = {name: (folder / f"{name}.log").read_bytes() for name in names}
        return {name: text[: text.rfind(b"\n") + 1].splitlines() for name, text in found.items()}

    return read
