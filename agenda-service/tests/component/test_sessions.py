"""Every route, and every answer of its own that it may give."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from testkit.problems import problem

FIRST, SECOND, LAST = "20270614T0900-main", "20270614T0900-harbour", "20270615T1745-garden"
SLOTS = 48

Put = Callable[..., httpx2.Response]
NewId = Callable[[], str]


def titles(client: httpx2.Client, **params: str) -> list[str]:
    """The titles of the list."""
    response = client.get("/sessions", params=params)
    assert response.status_code == 200
    return [item["title"] for item in response.json()["items"]]


def test_new_session_gets_the_first_free_slot(
    client: httpx2.Client, put: Put, new_id: NewId
) -> None:
    proposal_id = new_id()
    response = put(proposal_id, title=" Canaries ", abstract="Why.\nHow.", speaker="Ada", version=3)
    slot = {
        "id": FIRST,
        "day": "2027-06-14",
        "starts_at": "2027-06-14T07:00:00Z",
        "ends_at": "2027-06-14T07:45:00Z",
        "room": {"id": "main", "name": "Main Hall"},
        "track": "Platform",
    }
    listed = {"proposal_id": proposal_id, "title": "Canaries", "speaker": "Ada", "slot": slot}
    session = {**listed, "abstract": "Why.\nHow.", "version": 3}
    assert (response.status_code, response.json()) == (201, session)
    assert response.headers["location"] == f"/sessions/{proposal_id}"
    assert client.get(response.headers["location"]).json() == session
    assert client.get("/sessions").json() == {"items": [listed]}
    assert put(new_id()).json()["slot"]["id"] == SECOND


def test_put_again_says_it_anew_and_keeps_the_slot(
    client: httpx2.Client, put: Put, new_id: NewId
) -> None:
    proposal_id = new_id()
    put(proposal_id, title="Before", version=1)
    response = put(proposal_id, title="After", version=2)
    assert response.status_code == 200
    assert (response.json()["title"], response.json()["slot"]["id"]) == ("After", FIRST)
    assert "location" not in response.headers
    assert titles(client) == ["After"]


def test_put_of_the_same_version_is_taken_again(put: Put, new_id: NewId) -> None:
    proposal_id = new_id()
    assert put(proposal_id, title="Same").status_code == 201
    assert put(proposal_id, title="Same").status_code == 200


def test_put_of_an_older_version_is_stale(client: httpx2.Client, put: Put, new_id: NewId) -> None:
    proposal_id = new_id()
    put(proposal_id, title="New", version=10)
    response = put(proposal_id, title="Old", version=9)
    assert problem(response) == (409, "stale-version")
    assert response.json()["current"] == 10
    assert titles(client) == ["New"]


def test_put_does_not_bring_back_what_was_removed_later(
    client: httpx2.Client, put: Put, new_id: NewId
) -> None:
    proposal_id = new_id()
    put(proposal_id, version=2)
    assert client.delete(f"/sessions/{proposal_id}", params={"version": 3}).status_code == 204
    assert problem(put(proposal_id, version=2)) == (409, "stale-version")
    assert titles(client) == []
    assert put(proposal_id, version=4).status_code == 201


def test_removal_may_come_before_its_session(
    client: httpx2.Client, put: Put, new_id: NewId
) -> None:
    proposal_id = new_id()
    assert client.delete(f"/sessions/{proposal_id}", params={"version": 3}).status_code == 204
    assert problem(put(proposal_id, version=2)) == (409, "stale-version")


def test_removal_that_is_late_is_stale(client: httpx2.Client, put: Put, new_id: NewId) -> None:
    proposal_id = new_id()
    put(proposal_id, title="Stays", version=5)
    response = client.delete(f"/sessions/{proposal_id}", params={"version": 4})
    assert problem(response) == (409, "stale-version")
    assert response.json()["current"] == 5
    assert titles(client) == ["Stays"]


def test_removal_without_version_leaves_the_fence(
    client: httpx2.Client, put: Put, new_id: NewId
) -> None:
    proposal_id = new_id()
    put(proposal_id, version=5)
    assert client.delete(f"/sessions/{proposal_id}").status_code == 204
    assert titles(client) == []
    assert problem(put(proposal_id, version=4)) == (409, "stale-version")
    assert put(proposal_id, version=5).status_code == 201


def test_removal_of_what_is_not_there_is_fine(client: httpx2.Client, new_id: NewId) -> None:
    response = client.delete(f"/sessions/{new_id()}")
    assert (response.status_code, response.content) == (204, b"")


def test_removal_frees_the_slot(client: httpx2.Client, put: Put, new_id: NewId) -> None:
    gone = new_id()
    put(gone)
    put(new_id())
    client.delete(f"/sessions/{gone}")
    assert put(new_id()).json()["slot"]["id"] == FIRST


def test_versions_up_to_the_largest_are_told_apart(put: Put, new_id: NewId) -> None:
    proposal_id, largest = new_id(), 2**53 - 1
    assert put(proposal_id, version=largest).json()["version"] == largest
    response = put(proposal_id, version=largest - 1)
    assert (problem(response)[1], response.json()["current"]) == ("stale-version", largest)


def test_session_that_is_not_there_is_not_found(client: httpx2.Client, new_id: NewId) -> None:
    response = client.get(f"/sessions/{new_id()}")
    assert problem(response) == (404, "session-not-found")


def test_move_takes_a_free_slot_and_frees_the_old_one(
    client: httpx2.Client, put: Put, new_id: NewId
) -> None:
    proposal_id = new_id()
    session = put(proposal_id).json()
    response = client.put(f"/sessions/{proposal_id}/slot", json={"slot_id": LAST})
    assert response.status_code == 200
    assert response.json()["slot"]["id"] == LAST
    assert {**response.json(), "slot": None} == {**session, "slot": None}
    assert client.get(f"/sessions/{proposal_id}").json() == response.json()
    assert put(new_id()).json()["slot"]["id"] == FIRST


def test_move_to_the_same_slot_is_fine(client: httpx2.Client, put: Put, new_id: NewId) -> None:
    proposal_id = new_id()
    put(proposal_id)
    for _ in range(2):
        response = client.put(f"/sessions/{proposal_id}/slot", json={"slot_id": LAST})
        assert (response.status_code, response.json()["slot"]["id"]) == (200, LAST)


def test_move_to_a_taken_slot_names_who_has_it(
    client: httpx2.Client, put: Put, new_id: NewId
) -> None:
    holder, mover = new_id(), new_id()
    put(holder, title="I was here first")
    put(mover)
    response = client.put(f"/sessions/{mover}/slot", json={"slot_id": FIRST})
    assert problem(response) == (409, "slot-taken")
    body = response.json()
    assert (body["taken_by"], body["taken_by_title"]) == (holder, "I was here first")
    assert body["title"] == "The slot is taken"
    assert client.get(f"/sessions/{mover}").json()["slot"]["id"] == SECOND


def test_move_of_what_is_not_there_is_not_found(client: httpx2.Client, new_id: NewId) -> None:
    response = client.put(f"/sessions/{new_id()}/slot", json={"slot_id": FIRST})
    assert problem(response) == (404, "session-not-found")


def test_move_to_a_slot_that_is_not_there_is_refused(
    client: httpx2.Client, put: Put, new_id: NewId
) -> None:
    proposal_id = new_id()
    put(proposal_id)
    response = client.put(f"/sessions/{proposal_id}/slot", json={"slot_id": "20270614T0900-cellar"})
    assert problem(response) == (422, "unknown-slot")


def test_full_agenda_takes_no_more_but_still_takes_changes(
    client: httpx2.Client, put: Put, new_id: NewId
) -> None:
    ids = [new_id() for _ in range(SLOTS)]
    assert {put(each).status_code for each in ids} == {201}
    late = new_id()
    assert problem(put(late, version=7)) == (409, "agenda-full")
    assert problem(client.get(f"/sessions/{late}")) == (404, "session-not-found")
    assert put(ids[0], title="Changed", version=2).status_code == 200
    client.delete(f"/sessions/{ids[5]}")
    response = put(late, version=7)
    assert (response.status_code, len(titles(client))) == (201, SLOTS)


def test_list_is_by_start_then_room(client: httpx2.Client, put: Put, new_id: NewId) -> None:
    schedule = [slot["id"] for slot in client.get("/schedule").json()["slots"]]
    moves = [LAST, "20270614T1000-garden", "20270615T0900-main", "20270614T1000-main"]
    for slot_id in moves:
        proposal_id = new_id()
        put(proposal_id)
        client.put(f"/sessions/{proposal_id}/slot", json={"slot_id": slot_id})
    listed = [item["slot"]["id"] for item in client.get("/sessions").json()["items"]]
    assert listed == sorted(moves, key=schedule.index)


def test_list_is_filtered_by_day_and_track(client: httpx2.Client, put: Put, new_id: NewId) -> None:
    places = {
        "A": FIRST,
        "B": SECOND,
        "C": "20270615T0900-main",
        "D": "20270615T0900-harbour",
    }
    for title, slot_id in places.items():
        proposal_id = new_id()
        put(proposal_id, title=title)
        client.put(f"/sessions/{proposal_id}/slot", json={"slot_id": slot_id})
    assert titles(client) == ["A", "B", "C", "D"]
    assert titles(client, day="2027-06-15") == ["C", "D"]
    assert titles(client, track="Development") == ["B", "D"]
    assert titles(client, day="2027-06-14", track="Platform") == ["A"]
    assert titles(client, day="2027-06-14", track="People") == []
    assert titles(client, day="1999-01-01") == []
    assert titles(client, track="Gardening") == []


def test_schedule_tells_every_slot(client: httpx2.Client) -> None:
    schedule = client.get("/schedule").json()
    assert schedule["timezone"] == "Europe/Berlin"
    assert schedule["days"] == ["2027-06-14", "2027-06-15"]
    assert schedule["rooms"][0] == {"id": "main", "name": "Main Hall", "track": "Platform"}
    ids = [slot["id"] for slot in schedule["slots"]]
    assert (len(ids), len(set(ids)), ids[0], ids[-1]) == (SLOTS, SLOTS, FIRST, LAST)


def test_operations_are_answered(client: httpx2.Client) -> None:
    assert client.get("/info").json()["name"] == "agenda-service"
    assert client.get("/livez").json()["status"] == "ok"
    assert client.get("/readyz").json()["status"] == "ok"
    assert client.get("/openapi.json").json()["info"]["title"] == "agenda-service"


@pytest.mark.parametrize(
    "text", ["日本語 العربية 🎤", "<script>alert(1)</script>", "{agenda} %S+ '\""]
)
def test_any_text_comes_back_as_it_went_in(
    text: str, client: httpx2.Client, put: Put, new_id: NewId
) -> None:
    proposal_id = new_id()
    put(proposal_id, title=text, abstract=f"{text}\n\n\t{text}", speaker=text)
    client.put(f"/sessions/{proposal_id}/slot", json={"slot_id": LAST})
    session: dict[str, Any] = client.get(f"/sessions/{proposal_id}").json()
    assert session["title"] == session["speaker"] == text
    assert session["abstract"] == f"{text}\n\n\t{text}"
    assert titles(client) == [text]
