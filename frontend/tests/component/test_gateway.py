"""The gateway: what it lets through, as whom, and what comes back."""

import json
from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from frontend.encryption import Cipher
from testkit.waiting import wait_for

from .conftest import SESSION_KEY, FakeService, Reply, World

ID = "0192f0c0-0000-7000-8000-000000000001"
PROPOSALS = "/api/proposals"
TOKEN = {"Proposal-Token": "signed.token"}
SIGNED_IN_ROUTES = [
    ("GET", PROPOSALS),
    ("POST", f"{PROPOSALS}/{ID}/decision"),
    ("POST", f"{PROPOSALS}/decisions"),
    ("GET", f"{PROPOSALS}/{ID}/events"),
    ("PUT", "/api/cfp"),
    ("GET", "/api/deliveries"),
    ("POST", f"/api/deliveries/{ID}/retry"),
    ("GET", "/api/consistency-reports"),
    ("PUT", f"/api/sessions/{ID}/slot"),
    ("GET", f"{PROPOSALS}/{ID}/reviews"),
    ("PUT", f"{PROPOSALS}/{ID}/review"),
    ("GET", "/api/actions"),
    ("GET", f"/api/sessions/{ID}/move"),
    ("GET", f"{PROPOSALS}/{ID}/emails"),
]
SPEAKER_ROUTES = [
    ("GET", f"{PROPOSALS}/{ID}"),
    ("PATCH", f"{PROPOSALS}/{ID}"),
    ("POST", f"{PROPOSALS}/{ID}/withdrawal"),
]


@pytest.fixture
def world(shared_world: World) -> World:
    for service in (shared_world.c4p, shared_world.email):
        service.received.clear()
        service.replies.clear()
    return shared_world


@pytest.fixture
def client(world: World) -> httpx2.Client:
    return world.client()


@pytest.fixture
def organizer(world: World) -> httpx2.Client:
    return world.signed_in("Zoë", "organizer")


def problem(response: httpx2.Response, status: int, slug: str) -> httpx2.Response:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"] == f"urn:problem:{slug}"
    return response


def named(authorization: str) -> str:
    """Return whose token it is."""
    payload = authorization.split(".")[1]
    name: str = json.loads(urlsafe_b64decode(f"{payload}=="))["name"]
    return name


def behind(world: World, path: str) -> FakeService:
    return world.agenda if path.startswith("/api/sessions") else world.c4p


@pytest.mark.parametrize(("method", "path"), SIGNED_IN_ROUTES + SPEAKER_ROUTES)
def test_gateway_demands_an_identity(
    world: World, client: httpx2.Client, method: str, path: str
) -> None:
    before = len(world.agenda.received)
    problem(client.request(method, path, json={}), 401, "sign-in-required")
    client.cookies.set("session", "forged.value")
    problem(client.request(method, path, json={}), 401, "sign-in-required")
    assert world.c4p.received == []
    assert world.email.received == []
    assert all(each.target in {"/sessions", "/schedule"} for each in world.agenda.received[before:])


@pytest.mark.parametrize(("method", "path"), SIGNED_IN_ROUTES + SPEAKER_ROUTES)
def test_gateway_calls_in_the_name_of_who_is_signed_in(
    world: World, organizer: httpx2.Client, method: str, path: str
) -> None:
    body = {"a": 1} if method in {"POST", "PUT", "PATCH"} else None
    headers = {"X-Actor": "the Queen"}
    assert organizer.request(method, path, json=body, headers=headers).status_code == 200
    asked = next(
        each
        for each in reversed(behind(world, path).received)
        if each.target == path.removeprefix("/api")
    )
    assert asked.method == method
    assert named(asked.headers["authorization"]) == "Zoë"
    assert "x-actor" not in asked.headers
    assert "cookie" not in asked.headers
    assert "proposal-token" not in asked.headers
    assert asked.body == (b'{"a":1}' if body else b"")


@pytest.mark.parametrize(("method", "path"), SPEAKER_ROUTES)
def test_gateway_passes_a_speakers_token_on_to_be_verified(
    world: World, client: httpx2.Client, method: str, path: str
) -> None:
    headers = {"Proposal-Token": "signed.token", "X-Actor": "the Queen"}
    assert client.request(method, path, json={}, headers=headers).status_code == 200
    asked = world.c4p.received[-1]
    assert asked.headers["proposal-token"] == "signed.token"
    assert not {"x-actor", "authorization"} & set(asked.headers)


@pytest.mark.parametrize(("method", "path"), SIGNED_IN_ROUTES + SPEAKER_ROUTES)
def test_gateway_passes_the_token_of_a_program_on_to_be_verified(
    world: World, client: httpx2.Client, method: str, path: str
) -> None:
    headers = {"Authorization": "Bearer whatever.it.is"}
    assert client.request(method, path, json={}, headers=headers).status_code == 200
    asked = next(
        each
        for each in reversed(behind(world, path).received)
        if each.target == path.removeprefix("/api")
    )
    assert asked.headers["authorization"] == headers["Authorization"]


def test_gateway_takes_the_token_of_a_program_before_the_session(
    world: World, organizer: httpx2.Client
) -> None:
    organizer.get(PROPOSALS, headers={"Authorization": "Bearer of.a.program"})
    assert world.c4p.received[-1].headers["authorization"] == "Bearer of.a.program"


def test_gateway_uses_no_session_where_anybody_may_ask(
    world: World, organizer: httpx2.Client
) -> None:
    organizer.post(PROPOSALS, json={})
    organizer.get("/api/cfp")
    assert all("authorization" not in each.headers for each in world.c4p.received)


def test_gateway_brings_the_challenge_back(world: World, client: httpx2.Client) -> None:
    body = {"type": "urn:problem:sign-in-required", "title": "x", "status": 401, "detail": "y"}
    challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    kind = {"Content-Type": "application/problem+json"}
    world.c4p.replies["/proposals"] = Reply(401, body, {**kind, **challenge})
    answer = client.get(PROPOSALS, headers={"Authorization": "Bearer of.a.forger"})
    assert problem(answer, 401, "sign-in-required").headers["www-authenticate"].startswith("Bearer")


def test_gateway_takes_an_empty_token_for_none(world: World, client: httpx2.Client) -> None:
    answer = client.get(f"{PROPOSALS}/{ID}", headers={"Proposal-Token": ""})
    problem(answer, 401, "sign-in-required")
    assert world.c4p.received == []


def test_gateway_drops_a_token_where_it_means_nothing(world: World, client: httpx2.Client) -> None:
    headers = {"Proposal-Token": "signed.token"}
    problem(client.get(PROPOSALS, headers=headers), 401, "sign-in-required")
    assert client.get("/api/cfp", headers=headers).status_code == 200
    assert "proposal-token" not in world.c4p.received[-1].headers


def test_gateway_refuses_a_session_that_has_expired(world: World, client: httpx2.Client) -> None:
    value = {"subject": "a", "name": "Ada", "roles": ["organizer"], "handle": "h"}
    ended = datetime.now(UTC) - timedelta(seconds=1)
    client.cookies.set("session", Cipher(SESSION_KEY, "session").encrypt(value, ended))
    problem(client.get(PROPOSALS), 401, "sign-in-required")


def test_gateway_passes_on_what_belongs_to_the_request_and_nothing_else(
    world: World, client: httpx2.Client
) -> None:
    headers = [
        ("Proposal-Token", "t"),
        ("If-Match", '"2"'),
        ("If-Match", '"3"'),
        ("If-None-Match", '"4"'),
        ("Idempotency-Key", "k-1"),
        ("X-Forwarded-Host", "evil.example"),
        ("X-Anything", "1"),
        ("Cookie", "session=x"),
    ]
    client.patch(f"{PROPOSALS}/{ID}?q=a%20b&x=%C3%A9&y=%00", json={"title": "ä"}, headers=headers)
    asked = world.c4p.received[-1]
    assert asked.target == f"/proposals/{ID}?q=a%20b&x=%C3%A9&y=%00"
    assert asked.headers["if-match"] == '"2", "3"'
    assert asked.headers["if-none-match"] == '"4"'
    assert asked.headers["idempotency-key"] == "k-1"
    assert asked.headers["content-type"] == "application/json"
    assert not {"x-forwarded-host", "x-anything", "cookie"} & set(asked.headers)


def test_gateway_brings_back_what_belongs_to_the_answer_and_nothing_else(
    world: World, client: httpx2.Client
) -> None:
    headers = {
        "ETag": '"1"',
        "Location": f"http://c4p-service:8000/proposals/{ID}",
        "Cache-Control": "no-store",
        "Set-Cookie": "session=stolen",
        "X-Internal": "1",
    }
    world.c4p.replies["/proposals"] = Reply(201, {"id": ID}, headers)
    answer = client.post(PROPOSALS, json={})
    assert (answer.status_code, answer.json()) == (201, {"id": ID})
    assert answer.headers["location"] == f"/api/proposals/{ID}"
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["cache-control"] == "no-store"
    assert not {"set-cookie", "x-internal"} & set(answer.headers)


def test_gateway_lets_nothing_personal_be_kept_by_a_cache(
    world: World, client: httpx2.Client, organizer: httpx2.Client
) -> None:
    personal = organizer.get(PROPOSALS), client.get(f"{PROPOSALS}/{ID}", headers=TOKEN)
    assert [each.headers["cache-control"] for each in personal] == ["no-store", "no-store"]
    assert "cache-control" not in client.get("/api/cfp").headers
    world.c4p.replies["/proposals"] = Reply(headers={"Cache-Control": "no-cache"})
    assert organizer.get(PROPOSALS).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("location", ["https://evil.example/x", "//evil.example", "/internal/x"])
def test_gateway_drops_a_location_that_it_does_not_offer(
    world: World, client: httpx2.Client, location: str
) -> None:
    world.c4p.replies["/proposals"] = Reply(201, {}, {"Location": location})
    assert "location" not in client.post(PROPOSALS, json={}).headers


@pytest.mark.parametrize(
    "path",
    [
        "/api/info",
        "/api/metrics",
        "/api/",
        "/api/proposals/",
        "/api/readyz",
        f"/api/proposals/{ID}/unknown",
        "/api/sessions/..%2Fschedule",
        "/api/sessions/%2e%2e",
        "/api/deliveries/x",
        "/api/openapi.json",
        "/api/consistency-reports/1",
    ],
)
def test_gateway_offers_nothing_else(world: World, organizer: httpx2.Client, path: str) -> None:
    problem(organizer.get(path), 404, "not-found")
    assert world.c4p.received == []
    assert all(
        each.target in {"/sessions", "/schedule"}
        for each in world.agenda.received
        if "authorization" not in each.headers
    )


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/api/consistency-reports", "GET"),
        ("DELETE", f"/api/sessions/{ID}", "GET"),
        ("PUT", f"/api/sessions/{ID}", "GET"),
        ("POST", "/api/sessions", "GET, HEAD"),
        ("DELETE", f"/api/proposals/{ID}", "GET, PATCH"),
        ("GET", "/api/proposals/decisions", "POST"),
        ("POST", f"/api/proposals/{ID}/emails", "GET"),
        ("PROPFIND", "/api/cfp", "GET, PUT"),
        ("OPTIONS", "/api/cfp", "GET, PUT"),
    ],
)
def test_gateway_refuses_other_methods(
    world: World, organizer: httpx2.Client, method: str, path: str, allowed: str
) -> None:
    answer = problem(organizer.request(method, path), 405, "method-not-allowed")
    assert answer.headers["allow"] == allowed
    assert world.c4p.received == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_gateway_refuses_changes_that_another_site_asks_for(
    world: World, organizer: httpx2.Client, headers: dict[str, str]
) -> None:
    answer = organizer.post(f"{PROPOSALS}/{ID}/decision", json={}, headers=headers)
    problem(answer, 403, "cross-site")
    assert world.c4p.received == []


def test_gateway_lets_its_own_pages_change_things(world: World, organizer: httpx2.Client) -> None:
    headers = {"Sec-Fetch-Site": "same-origin"}
    path = f"{PROPOSALS}/{ID}/decision"
    assert organizer.post(path, json={}, headers=headers).status_code == 200


def test_gateway_refuses_a_body_that_is_too_large(world: World, client: httpx2.Client) -> None:
    answer = client.post(PROPOSALS, content=b"x" * 10_000_000)
    problem(answer, 413, "body-too-large")
    answer = client.post(PROPOSALS, content=(b"x" * 10_000 for _ in range(1000)))
    problem(answer, 413, "body-too-large")
    assert world.c4p.received == []


def test_gateway_refuses_a_query_that_is_too_long(world: World, client: httpx2.Client) -> None:
    problem(client.get(f"/api/cfp?q={'x' * 5000}"), 414, "uri-too-long")
    assert world.c4p.received == []


def test_gateway_refuses_a_header_that_can_not_travel(world: World, client: httpx2.Client) -> None:
    headers = [(b"Idempotency-Key", "schlüssel".encode())]
    answer = client.post(PROPOSALS, json={}, headers=headers)
    problem(answer, 400, "request-refused")
    assert world.c4p.received == []


def test_gateway_passes_a_refusal_on_as_it_is(world: World, client: httpx2.Client) -> None:
    body = {
        "type": "urn:problem:window-closed",
        "title": "Closed",
        "status": 403,
        "detail": "It is closed.",
        "opens_at": None,
    }
    headers = {"Content-Type": "application/problem+json", "Retry-After": "7"}
    world.c4p.replies["/proposals"] = Reply(403, body, headers)
    answer = problem(client.post(PROPOSALS, json={}), 403, "window-closed")
    assert answer.json() == body
    assert answer.headers["retry-after"] == "7"


def test_gateway_passes_a_304_on(world: World, organizer: httpx2.Client) -> None:
    world.c4p.replies[f"/proposals/{ID}"] = Reply(304, headers={"ETag": '"1"'})
    answer = organizer.get(f"{PROPOSALS}/{ID}", headers={"If-None-Match": '"1"'})
    assert (answer.status_code, answer.content) == (304, b"")


@pytest.mark.parametrize(
    "lie",
    [
        Reply(200, b"<html>", {"Content-Type": "text/html"}),
        Reply(200, b"{"),
        Reply(200, {}, drips=True),
        Reply(302, {}, {"Location": "http://evil.example"}),
        Reply(403, b"<html>", {"Content-Type": "text/html"}),
        Reply(502, b"Bad Gateway", {"Content-Type": "text/plain"}),
    ],
    ids=["html", "broken", "drips", "redirect", "no problem", "proxy"],
)
def test_gateway_answers_for_a_lying_service(
    world: World, client: httpx2.Client, lie: Reply
) -> None:
    world.c4p.replies["/cfp"] = lie
    answer = problem(client.get("/api/cfp"), 503, "unavailable")
    assert answer.headers["retry-after"].isdigit()
    assert "c4p-service" in answer.json()["detail"]
    # The breaker must not trip over the tests of this file together.
    world.c4p.replies.clear()
    wait_for(lambda: client.get("/api/cfp").status_code == 200, "c4p to be trusted again")


def test_gateway_describes_every_route(client: httpx2.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    described = {
        (method.upper(), path.replace("{id}", ID))
        for path, operations in paths.items()
        for method in operations
    }
    routes = [(method, path.partition("?")[0]) for method, path in SIGNED_IN_ROUTES]
    assert {
        *routes,
        *SPEAKER_ROUTES,
        ("GET", "/api/sessions"),
        ("GET", "/api/schedule"),
    } <= described
    retry = paths["/api/deliveries/{id}/retry"]["post"]
    assert retry["requestBody"]["required"] is False
    for path, operations in paths.items():
        if path.startswith("/api/"):
            assert all({"503", "404"} <= set(each["responses"]) for each in operations.values())
