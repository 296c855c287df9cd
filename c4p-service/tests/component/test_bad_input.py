"""Bad input: a problem with its own type, and nothing is changed."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from servicekit.security import Signer

DRAFT = {
    "title": "Outboxes",
    "abstract": "Why calls belong in tables.",
    "speaker_name": "Ada Lovelace",
    "speaker_email": "ada@example.org",
}
UNKNOWN = "01890000-0000-7000-8000-000000000001"
JSON = {"Content-Type": "application/json"}
Submit = Callable[..., dict[str, Any]]
Query = Callable[[str], list[tuple[Any, ...]]]


def slug(answer: httpx2.Response) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    return str(answer.json()["type"]).removeprefix("urn:problem:")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", " \n\t "),
        ("title", "x" * 201),
        ("title", "two\nlines"),
        ("title", "a\x00b"),
        ("title", "turned \u202e round"),
        ("title", "\ud800"),
        ("title", None),
        ("title", 7),
        ("title", ["a"]),
        ("abstract", "bell \x07"),
        ("abstract", "x" * 5001),
        ("speaker_name", ""),
        ("speaker_email", "nobody"),
        ("speaker_email", "a@b@c"),
        ("speaker_email", "ada@example.org\nBcc: all@example.org"),
        ("speaker_email", f"{'x' * 60}@{'y' * 250}.org"),
        ("state", "accepted"),
    ],
)
def test_submission_with_a_bad_field_names_it(
    client: httpx2.Client, query: Query, field: str, value: Any
) -> None:
    body = json.dumps({**DRAFT, field: value})
    answer = client.post("/proposals", content=body, headers=JSON)
    assert (answer.status_code, slug(answer)) == (422, "invalid-request")
    assert [each["field"] for each in answer.json()["errors"]] == [field]
    assert query("SELECT count(*) FROM proposals") == [(0,)]


def test_submission_without_anything_names_every_field(client: httpx2.Client) -> None:
    answer = client.post("/proposals", json={})
    assert {each["field"] for each in answer.json()["errors"]} == set(DRAFT)


@pytest.mark.parametrize(
    ("content", "headers", "status", "expected"),
    [
        (b"", JSON, 422, "invalid-request"),
        (b"{", JSON, 400, "malformed-body"),
        (b"\xff\xfe", JSON, 400, "malformed-body"),
        (b'{"title": "\xff"}', JSON, 400, "body-not-utf-8"),
        (b"[" * 60_000, JSON, 400, "malformed-body"),
        (b"9" * 60_000, JSON, 400, "malformed-body"),
        (b'"text"', JSON, 422, "invalid-request"),
        (b"[]", JSON, 422, "invalid-request"),
        (b"title=x", {"Content-Type": "text/plain"}, 415, "unsupported-media-type"),
        (b"x" * 10_000_000, JSON, 413, "body-too-large"),
    ],
)
def test_submission_with_a_bad_body_is_refused(
    client: httpx2.Client,
    query: Query,
    content: bytes,
    headers: dict[str, str],
    status: int,
    expected: str,
) -> None:
    answer = client.post("/proposals", content=content, headers=headers)
    assert (answer.status_code, slug(answer)) == (status, expected)
    assert query("SELECT count(*) FROM proposals") == [(0,)]


def test_body_of_unknown_length_is_refused_at_the_limit(client: httpx2.Client) -> None:
    answer = client.post("/proposals", content=iter([b"x" * 50_000] * 4), headers=JSON)
    assert (answer.status_code, slug(answer)) == (413, "body-too-large")


@pytest.mark.parametrize(
    ("method", "path", "status", "expected"),
    [
        ("GET", "/proposals/not-an-id", 404, "not-found"),
        ("PATCH", "/proposals/decisions", 405, "method-not-allowed"),
        ("GET", "/proposals?limit=0", 422, "invalid-request"),
        ("GET", "/proposals?limit=201", 422, "invalid-request"),
        ("GET", "/proposals?state=maybe", 422, "invalid-request"),
        ("GET", "/proposals?cursor=x", 422, "invalid-request"),
        ("GET", "/proposals?q=%00", 422, "invalid-request"),
        ("GET", "/deliveries?state=lost", 422, "invalid-request"),
        ("DELETE", "/proposals", 405, "method-not-allowed"),
        ("GET", "/elsewhere", 404, "not-found"),
        ("POST", f"/deliveries/{UNKNOWN}/retry", 404, "delivery-not-found"),
    ],
)
def test_bad_address_is_a_problem(
    client: httpx2.Client, method: str, path: str, status: int, expected: str
) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, slug(answer)) == (status, expected)


def test_edit_of_nothing_is_refused(client: httpx2.Client, submit: Submit) -> None:
    answer = client.patch(f"/proposals/{submit()['id']}", json={}, headers={"If-Match": '"1"'})
    assert (answer.status_code, slug(answer)) == (422, "invalid-request")


@pytest.mark.parametrize(
    "etag", ['"2"', '"0"', 'W/"1"', '"2", "3"', "1", "1x", '"99999999999999999999"', "W/"]
)
def test_edit_with_a_foreign_etag_is_stale(
    client: httpx2.Client, submit: Submit, etag: str
) -> None:
    path = f"/proposals/{submit()['id']}"
    answer = client.patch(path, json={"title": "Mine"}, headers={"If-Match": etag})
    assert (answer.status_code, slug(answer)) == (412, "stale-edit")


def test_decision_of_another_kind_is_refused(client: httpx2.Client, submit: Submit) -> None:
    for decision in ("withdrawn", "", None):
        answer = client.post(f"/proposals/{submit()['id']}/decision", json={"decision": decision})
        assert (answer.status_code, slug(answer)) == (422, "invalid-request")


def test_decisions_without_one_or_with_too_many_are_refused(client: httpx2.Client) -> None:
    one = {"proposal_id": UNKNOWN, "decision": "accepted"}
    for decisions in ([], [one] * 101):
        answer = client.post("/proposals/decisions", json={"decisions": decisions})
        assert (answer.status_code, slug(answer)) == (422, "invalid-request")


def test_submission_while_closed_tells_when_it_was_open(
    client: httpx2.Client, query: Query
) -> None:
    window = {"opens_at": None, "closes_at": "2020-01-01T00:00:00Z"}
    assert client.put("/cfp", json=window).json() == {**window, "open": False}
    answer = client.post("/proposals", json=DRAFT)
    assert (answer.status_code, slug(answer)) == (403, "window-closed")
    assert answer.json()["closes_at"] == "2020-01-01T00:00:00Z"
    assert query("SELECT count(*) FROM proposals") == [(0,)]


def test_submission_repeated_after_closing_is_still_the_one_made_before(
    client: httpx2.Client,
) -> None:
    headers = {"Idempotency-Key": "before-closing"}
    made = client.post("/proposals", json=DRAFT, headers=headers).json()
    client.put("/cfp", json={"opens_at": None, "closes_at": "2020-01-01T00:00:00Z"})
    again = client.post("/proposals", json=DRAFT, headers=headers)
    assert (again.status_code, again.json()["id"]) == (201, made["id"])


@pytest.mark.parametrize(
    "window",
    [
        {"opens_at": "2027-02-01T00:00:00Z", "closes_at": "2027-01-01T00:00:00Z"},
        {"opens_at": "2027-02-01T00:00:00", "closes_at": None},
        {"opens_at": None},
        {"opens_at": "soon", "closes_at": None},
        {"opens_at": 0, "closes_at": None},
    ],
)
def test_window_that_makes_no_sense_is_refused(client: httpx2.Client, window: Any) -> None:
    answer = client.put("/cfp", json=window)
    assert (answer.status_code, slug(answer)) == (422, "invalid-request")
    assert client.get("/cfp").json() == {"opens_at": None, "closes_at": None, "open": True}


SIGNER = Signer("a key that only these tests use, at all", "proposal")
LATER = datetime.now(UTC) + timedelta(days=1)


@pytest.mark.parametrize("method", ["GET", "PATCH", "POST"])
@pytest.mark.parametrize("kind", ["forged", "expired", "foreign", "other purpose", "garbage"])
def test_link_that_is_not_good_opens_nothing(
    client: httpx2.Client, submit: Submit, method: str, kind: str
) -> None:
    proposal = submit()
    mine = {"proposal": proposal["id"]}
    token = {
        "forged": Signer("another key, as long as it may be, but", "proposal").sign(mine, LATER),
        "expired": SIGNER.sign(mine, datetime.now(UTC) - timedelta(seconds=1)),
        "foreign": SIGNER.sign({"proposal": submit()["id"]}, LATER),
        "other purpose": Signer("a key that only these tests use, at all", "x").sign(mine, LATER),
        "garbage": "a.b",
    }[kind]
    path = f"/proposals/{proposal['id']}" + ("/withdrawal" if method == "POST" else "")
    answer = client.request(
        method,
        path,
        json={"title": "Mine now"} if method == "PATCH" else None,
        headers={"Proposal-Token": token, "If-Match": '"1"'},
    )
    expected = "link-expired" if kind == "expired" else "link-refused"
    assert (answer.status_code, slug(answer)) == (403, expected)
    assert client.get(f"/proposals/{proposal['id']}").json() == proposal


def test_link_that_is_good_opens_its_proposal(client: httpx2.Client, submit: Submit) -> None:
    proposal = submit()
    token = SIGNER.sign({"proposal": proposal["id"]}, LATER)
    answer = client.get(f"/proposals/{proposal['id']}", headers={"Proposal-Token": token})
    assert answer.json() == proposal


def test_report_with_an_unknown_field_is_refused(client: httpx2.Client) -> None:
    report = {
        "id": UNKNOWN,
        "checked_at": "2027-01-01T00:00:00Z",
        "complete": True,
        "findings": [],
    }
    assert client.put("/consistency-reports", json={**report, "x": 1}).status_code == 422
    assert client.put("/consistency-reports", json=report).json() == report
    assert client.put("/consistency-reports", json=report).status_code == 200
    assert client.get("/consistency-reports").json() == {"items": [report]}
