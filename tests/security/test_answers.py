"""Every answer of every service is protected, whatever it answers."""

import httpx2
import pytest
from tests.security.conftest import SERVICES

from embedded.platform import Platform

EVERYWHERE = (
    ("GET", "/info", 200),
    ("GET", "/openapi.json", 200),
    ("GET", "/nothing/here", 404),
    ("GET", "/%00", 404),
    ("DELETE", "/livez", 405),
)
OF_ONE = {
    "agenda": (("GET", "/sessions", 200), ("GET", "/sessions?day=x", 422)),
    "c4p": (("GET", "/cfp", 200), ("POST", "/proposals", 413), ("POST", "/proposals", 422)),
    "email": (("POST", "/emails", 413),),
    "site": (
        ("GET", "/", 200),
        ("GET", "/agenda", 200),
        ("GET", "/agenda.ics", 200),
        ("GET", "/api/sessions", 200),
        ("GET", "/api/nothing", 404),
        ("DELETE", "/api/cfp", 405),
        ("GET", "/agenda/x", 404),
        ("GET", "/back-office", 303),
        ("POST", "/call-for-proposals", 413),
        ("POST", "/call-for-proposals", 415),
        ("PUT", "/call-for-proposals", 405),
        ("GET", "/static/x/nothing.css", 404),
    ),
}
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


def assert_protected(answer: httpx2.Response) -> None:
    for name, value in HEADERS.items():
        assert answer.headers.get_list(name) == [value], (answer.request, name)
    (policy,) = answer.headers.get_list("content-security-policy")
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "uvicorn" not in answer.headers.get("server", "")


@pytest.mark.parametrize("accept", ["text/html", "*/*"])
@pytest.mark.parametrize("service", SERVICES)
def test_every_answer_carries_the_security_headers(
    platform: Platform, service: str, accept: str
) -> None:
    url = getattr(platform.urls, service)
    with httpx2.Client(base_url=url, headers={"Accept": accept}) as client:
        for method, path, status in (*EVERYWHERE, *OF_ONE[service]):
            content = {413: b"x" * 70_000, 415: b"x", 422: b"{}"}.get(status)
            kind = {"Content-Type": "text/plain" if status == 415 else "application/json"}
            answer = client.request(method, path, content=content, headers=kind)
            assert answer.status_code == status, (method, path, answer.text)
            assert_protected(answer)


def test_every_file_of_the_pages_carries_the_security_headers(platform: Platform) -> None:
    with httpx2.Client(base_url=platform.urls.site) as client:
        page = client.get("/").text
        addresses = [each.partition('"')[0] for each in page.split('"/static/')[1:]]
        assert addresses
        for address in addresses:
            answer = client.get(f"/static/{address}")
            assert answer.status_code == 200
            assert_protected(answer)


@pytest.mark.parametrize("service", SERVICES)
def test_metrics_carry_the_security_headers(platform: Platform, service: str) -> None:
    port = platform.ports[f"{service}_metrics"]
    for method, path in (("GET", "/metrics"), ("POST", "/metrics"), ("GET", "/")):
        assert_protected(httpx2.request(method, f"http://127.0.0.1:{port}{path}"))
