"""Routes of services that the gateway does not offer: no spelling of an address leads there."""

import json
import socket
from contextlib import closing

import httpx2
import pytest
from tests.acceptance.office import Office
from tests.security.conftest import Raw

from embedded.platform import Platform
from frontend.gateway.allowlist import CACHED, TABLE
from testkit.fake import FakeNeighbour

ID = "0192f0c0-0000-7000-8000-000000000001"
OFFERED = {(row.method, row.path) for row in TABLE} | {
    (method, path) for path in CACHED for method in ("GET", "HEAD")
}
REFUSALS = ("The API has nothing at this address.", "Allowed here: ", "There is nothing here.")


def kept_inside(platform: Platform, service: str) -> list[tuple[str, str]]:
    """The method and the path of each operation that is not offered to the public."""
    paths = httpx2.get(f"{getattr(platform.urls, service)}/openapi.json").json()["paths"]
    found = {
        (method.upper(), "/".join("{id}" if part[:1] == "{" else part for part in path.split("/")))
        for path, operations in paths.items()
        for method in operations
    }
    inside = {(method, "/openapi.json") for method in ("GET", "POST")} | found - OFFERED
    return sorted((method, path.replace("{id}", ID)) for method, path in inside)


def spellings(path: str) -> list[str]:
    """Targets that somebody between us and the service might read as `path`."""
    last = path.rpartition("/")[2]
    return [
        f"/api{path}",
        f"/api{path}/",
        f"/api/{path}",
        f"//api{path}",
        f"/API{path}",
        f"/api{path.upper()}",
        f"/api{path};a=b",
        f"/api{path}%3fa",
        f"/api{path}%23",
        f"/api{path}%00",
        f"/api{path}%20",
        f"/api{path}%0d%0a",
        f"/api{path}.json",
        f"/api/.{path}",
        f"/api/%2e{path}",
        f"/api/sessions/..{path}",
        f"/api/sessions/%2e%2e{path}",
        f"/api/sessions/%252e%252e{path}",
        f"/api/sessions/..%2f{path[1:]}",
        f"/api/sessions/..%5c{path[1:]}",
        f"/api/sessions/{ID}/../..{path}",
        f"/api/proposals/{ID}%2f..%2f..%2f{path[1:]}",
        f"/api/proposals/..;{path}",
        f"/api%2f{path[1:]}",
        f"/api/..%2f{path[1:]}",
        f"/api/%2f{path[1:]}",
        f"/api/{last}%2f..{path}",
    ]


@pytest.mark.parametrize("service", ["agenda", "c4p", "email"])
def test_gateway_passes_nothing_that_its_table_does_not_name(
    platform: Platform, office: Office, raw: Raw, service: str
) -> None:
    inside = kept_inside(platform, service)
    assert ("GET", "/readyz") in inside
    headers = {"Cookie": f"session={office.client.cookies['session']}"}
    for method, path in inside:
        for target in spellings(path):
            answer, text = raw.ask(method, target, headers)
            assert answer.status in {404, 405}, (method, target, text)
            if method != "HEAD":
                detail = json.loads(text)["detail"]
                assert detail.startswith((*REFUSALS, "This method is not")), (method, target, text)


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "OPTIONS", "PROPFIND", "get", "GE"])
def test_gateway_knows_no_other_methods(raw: Raw, method: str) -> None:
    answer, _ = raw.ask(method, "/api/cfp")
    assert answer.status in {400, 405}


@pytest.mark.parametrize(
    "header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-URL"]
)
def test_gateway_takes_no_other_word_for_method_and_address(raw: Raw, header: str) -> None:
    value = "/proposals" if "URL" in header else "PUT"
    answer, text = raw.ask("GET", "/api/cfp", {header: value})
    assert answer.status == 200
    assert "open" in json.loads(text)


@pytest.mark.parametrize(
    "identifier",
    [
        "@127.0.0.1:{port}",
        "%2f%2f127.0.0.1:{port}%2f",
        "..%2f..%2f..",
        "http:%2f%2f127.0.0.1:{port}",
        "%0d%0aHost:%20127.0.0.1:{port}",
        "a%3f@127.0.0.1:{port}",
        "a%23",
    ],
)
def test_no_identifier_leads_to_another_host(
    office: Office, raw: Raw, stranger: FakeNeighbour, identifier: str
) -> None:
    headers = {"Cookie": f"session={office.client.cookies['session']}"}
    part = identifier.replace("{port}", stranger.url.rpartition(":")[2])
    for target in (
        f"/api/sessions/{part}",
        f"/api/proposals/{part}",
        f"/api/proposals/{part}/events",
        f"/agenda/{part}",
        f"/back-office/proposals/{part}",
        f"/proposals/{part}?token=a",
    ):
        answer, text = raw.ask("GET", target, headers)
        assert answer.status in {404, 422}, (target, text)
    assert stranger.calls == []


def test_site_is_no_proxy(raw: Raw, stranger: FakeNeighbour) -> None:
    answer, _ = raw.ask("GET", f"{stranger.url}/api/cfp")
    assert answer.status in {200, 400, 404}
    assert stranger.calls == []


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
        b"Content-Length: 4\r\nContent-Length: 60\r\n\r\n",
    ],
)
def test_no_second_request_is_smuggled_in(platform: Platform, framing: bytes) -> None:
    host, _, port = platform.urls.site.removeprefix("http://").partition(":")
    with closing(socket.create_connection((host, int(port)), timeout=10)) as connection:
        connection.sendall(
            b"POST /api/proposals HTTP/1.1\r\nHost: a\r\n" + framing + b"0\r\n\r\n"
            b"GET /api/proposals HTTP/1.1\r\nHost: a\r\n\r\n"
        )
        answers = b""
        while piece := connection.recv(65536):
            answers += piece
    assert answers.count(b"HTTP/1.1 ") == 1
    assert answers.startswith(b"HTTP/1.1 400 ")
