"""Every answer says that the site is reached by TLS alone, if it is."""

import socket
from urllib.parse import urlsplit

import httpx2
import pytest

from .conftest import World

HSTS = "strict-transport-security"
ANSWERS = (
    ("GET", "/about", 200),
    ("GET", "/nothing/here", 404),
    ("GET", "/back-office", 303),
    ("GET", "/livez", 200),
    ("GET", "/openapi.json", 200),
    ("GET", "/api/nothing", 404),
    ("PUT", "/call-for-proposals", 405),
    ("POST", "/call-for-proposals", 413),
)


def answers(client: httpx2.Client) -> list[httpx2.Response]:
    """One of each kind."""
    found = []
    for method, path, status in ANSWERS:
        content = b"x" * 70_000 if status == 413 else None
        found.append(client.request(method, path, content=content))
        assert found[-1].status_code == status, path
    return found


def what_answers_no_http(url: str) -> bytes:
    """Return what a client gets that speaks something else."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        connection.sendall(b"nonsense\r\n\r\n")
        return connection.makefile("rb").read()


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_every_answer_keeps_browsers_on_tls_where_there_is_tls(world: World, scheme: str) -> None:
    world.start(PUBLIC_URL=f"{scheme}://conference.example.org")
    wanted = ["max-age=31536000"] if scheme == "https" else []
    for answer in answers(world.client()):
        assert answer.headers.get_list(HSTS) == wanted, answer.request
    refused = what_answers_no_http(world.frontend.url)
    assert refused.startswith(b"HTTP/1.1 400")
    assert (HSTS.encode() in refused) is bool(wanted)
