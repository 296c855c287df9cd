"""Answers of the cached agenda, and of agenda-service that it believes."""

import httpx2
import pytest

from testkit.waiting import wait_for

from .conftest import Reply, World, source, titles, wait_until_shown


@pytest.fixture
def world(shared_world: World) -> World:
    return shared_world


@pytest.fixture
def client(world: World) -> httpx2.Client:
    return world.client()


def show(world: World, client: httpx2.Client, *wanted: str) -> None:
    world.agenda.show(*wanted)
    wait_until_shown(client, *wanted)


@pytest.mark.parametrize(
    "lie",
    [
        Reply(200, b"<html>"),
        Reply(200, {"items": [{"title": "no id"}]}),
        Reply(200, {"items": []}, drips=True),
        Reply(304),
        Reply(302, headers={"Location": "http://evil.example/"}),
        Reply(500, b"oops", {"Content-Type": "text/plain"}),
    ],
    ids=["html", "shape", "drips", "unmodified", "redirect", "error"],
)
def test_agenda_takes_a_lying_service_for_an_absent_one(
    world: World, client: httpx2.Client, lie: Reply
) -> None:
    show(world, client, "First")
    wait_for(lambda: source(client) == "live", "the live agenda")
    truth = world.agenda.replies["/sessions"]
    world.agenda.replies["/sessions"] = lie
    if lie.status != 304:
        wait_for(lambda: source(client) == "saved", "the saved agenda")
    assert titles(client.get("/api/sessions")) == ["First"]
    world.agenda.replies["/sessions"] = truth
    wait_for(lambda: source(client) == "live", "the live agenda")


def test_agenda_is_conditional_and_compressed(world: World, client: httpx2.Client) -> None:
    show(world, client, *["A session"] * 50)
    answer = client.get("/api/sessions")
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["cache-control"] == "no-cache"
    plain = client.get("/api/sessions", headers={"Accept-Encoding": "identity"})
    assert plain.json() == answer.json()
    assert plain.headers["etag"] == answer.headers["etag"]
    again = client.get("/api/sessions", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.head("/api/sessions").headers["etag"] == answer.headers["etag"]


def test_agenda_is_filtered_by_day_and_track(world: World, client: httpx2.Client) -> None:
    show(world, client, "First", "Second")

    def shown(query: str) -> list[str]:
        return titles(client.get(f"/api/sessions?{query}"))

    assert shown("day=2027-06-14") == ["First"]
    assert shown("track=People") == ["Second"]
    assert shown("day=2027-06-14&track=People") == []
    assert shown("day=2030-01-01") == []
    assert shown("day=&track=") == ["First", "Second"]
    assert shown("unknown=1") == ["First", "Second"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("day=tomorrow", "day"),
        ("day=2027-13-01", "day"),
        ("day=2027-W24-1", "day"),
        ("day=20270614", "day"),
        ("day=%00", "day"),
        ("track=%ff", "query"),
        (f"track={'x' * 121}", "track"),
    ],
)
def test_agenda_refuses_a_filter_that_is_not_valid(
    client: httpx2.Client, query: str, field: str
) -> None:
    answer = client.get(f"/api/sessions?{query}")
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:problem:invalid-request"
    assert [each["field"] for each in answer.json()["errors"]] == [field]


def test_agenda_takes_a_track_as_long_as_the_agenda_service_does(client: httpx2.Client) -> None:
    assert client.get(f"/api/sessions?track={'x' * 120}").json() == {"items": []}
