"""The public door for programs: what it lets through, and what it answers to what is wrong."""

import json
from typing import Any

import httpx2
import pytest
from tests.acceptance.mails import Mails
from tests.acceptance.office import Answer, Office, Talk

from testkit.problems import problem

UNKNOWN = "01890000-0000-7000-8000-000000000001"
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", f"/sessions/{UNKNOWN}", 405),
        ("PUT", "/sessions/x", 405),
        ("DELETE", f"/sessions/{UNKNOWN}", 405),
        ("PUT", "/consistency-reports", 405),
        ("POST", "/emails", 404),
        ("GET", "/emails?reference=x", 404),
        ("DELETE", f"/proposals/{UNKNOWN}", 405),
        ("GET", "/info", 404),
        ("GET", "/livez", 404),
        ("GET", "/metrics", 404),
        ("GET", "/openapi.json", 404),
        ("GET", "/sessions/%2e%2e/info", 404),
        ("GET", "/proposals/..%2finfo", 404),
        ("GET", "/", 404),
    ],
)
def test_gateway_lets_nothing_else_through_even_for_organizers(
    office: Office, method: str, path: str, status: int
) -> None:
    answer = office.client.request(method, path, json={} if method in {"PUT", "POST"} else None)
    kind = "method-not-allowed" if status == 405 else "not-found"
    assert problem(answer) == (status, kind)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/proposals"),
        ("GET", "/proposals/{id}"),
        ("PATCH", "/proposals/{id}"),
        ("POST", "/proposals/{id}/decision"),
        ("POST", "/proposals/decisions"),
        ("POST", "/proposals/{id}/withdrawal"),
        ("GET", "/proposals/{id}/events"),
        ("PUT", "/cfp"),
        ("GET", "/deliveries"),
        ("POST", "/deliveries/{id}/retry"),
        ("GET", "/consistency-reports"),
        ("PUT", "/sessions/{id}/slot"),
        ("GET", "/proposals/{id}/emails"),
        ("GET", "/proposals/{id}/reviews"),
        ("PUT", "/proposals/{id}/review"),
        ("GET", "/actions"),
        ("GET", "/sessions/{id}/move"),
    ],
)
def test_what_is_not_public_needs_a_sign_in(
    client: httpx2.Client, submitted: Answer, method: str, path: str
) -> None:
    answer = client.request(method, f"/api{path.format(id=submitted['id'])}")
    assert problem(answer) == (401, "sign-in-required")


def test_history_names_who_is_signed_in_and_not_who_says_so(
    office: Office, client: httpx2.Client, talk: Talk
) -> None:
    says = {"X-Actor": "Mallory"}
    proposal = client.post("/api/proposals", json=talk, headers=says).json()
    path = f"/proposals/{proposal['id']}/decision"
    office.client.post(path, json={"decision": "rejected"}, headers=says)
    assert [each["actor"] for each in office.events(proposal)] == ["anonymous", "Otto Organizer"]


def test_submission_repeated_with_its_key_is_made_once(
    client: httpx2.Client, office: Office, talk: Talk, mark: str
) -> None:
    headers = {"Idempotency-Key": f"key-{mark}"}
    first, second = (client.post("/api/proposals", json=talk, headers=headers) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert first.headers["location"] == f"/api/proposals/{first.json()['id']}"
    assert len(office.found(mark)) == 1
    other = client.post("/api/proposals", json={**talk, "title": "Other"}, headers=headers)
    assert problem(other) == (422, "idempotency-key-reused")


def test_speaker_reads_changes_and_withdraws_by_the_token_of_the_link(
    client: httpx2.Client, submitted: Answer, talk: Talk, mails: Mails
) -> None:
    token = httpx2.URL(mails.link_to(talk["speaker_email"])).params["token"]
    path, holder = f"/api/proposals/{submitted['id']}", {"Proposal-Token": token}
    read = client.get(path, headers=holder)
    assert read.json() == submitted
    change = {"abstract": "Shorter."}
    edited = client.patch(path, json=change, headers={**holder, "If-Match": read.headers["etag"]})
    assert (edited.json()["abstract"], edited.headers["etag"]) == ("Shorter.", '"2"')
    assert client.post(f"{path}/withdrawal", headers=holder).json()["state"] == "withdrawn"
    # It opens what is the speaker's, and nothing that is the organizers'.
    answer = client.post(f"{path}/decision", json={"decision": "accepted"}, headers=holder)
    assert problem(answer) == (401, "sign-in-required")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", " \n\t "),
        ("title", "bell \x07"),
        ("title", "half \ud800"),
        ("title", 7),
        ("abstract", ["a"]),
        ("abstract", "x" * 5001),
        ("speaker_name", None),
        ("speaker_email", "nobody"),
        ("speaker_email", "ada@example.org\nBcc: all@example.org"),
        ("colour", "red"),
    ],
)
def test_proposal_with_a_bad_field_is_refused_with_its_name(
    client: httpx2.Client, office: Office, talk: Talk, mark: str, field: str, value: Any
) -> None:
    # The word by which it would be found stands in several fields, so one is always left.
    body = {**talk, "speaker_name": f"Ada {mark}", field: value}
    answer = client.post("/api/proposals", content=json.dumps(body), headers=JSON)
    assert problem(answer) == (422, "invalid-request")
    assert [each["field"] for each in answer.json()["errors"]] == [field]
    assert not office.found(mark)


def test_body_that_can_not_be_read_is_refused(
    client: httpx2.Client, office: Office, talk: Talk, mark: str
) -> None:
    whole = json.dumps(talk).encode()
    cases: list[tuple[bytes, dict[str, str], tuple[int, str]]] = [
        (b"", JSON, (422, "invalid-request")),
        (b"[]", JSON, (422, "invalid-request")),
        (whole[:-1], JSON, (400, "malformed-body")),
        (whole.replace(b"Ada", b"\xff\xfe"), JSON, (400, "body-not-utf-8")),
        (whole, {"Content-Type": "text/plain"}, (415, "unsupported-media-type")),
        (whole + b" " * 10_000_000, JSON, (413, "body-too-large")),
    ]
    for content, headers, expected in cases:
        answer = client.post("/api/proposals", content=content, headers=headers)
        assert problem(answer) == expected, content[:50]
    assert not office.found(mark)


def test_form_that_can_not_be_read_is_refused_with_a_page(
    client: httpx2.Client, office: Office, talk: Talk, mark: str
) -> None:
    text = httpx2.QueryParams(talk)
    cases = [
        (f"{text}&x=%FF".encode(), "application/x-www-form-urlencoded", 400),
        (f"{text}".encode() + b"&x=\xff", "application/x-www-form-urlencoded", 400),
        (json.dumps(talk).encode(), "application/json", 415),
        (f"{text}&x={'x' * 10_000_000}".encode(), "application/x-www-form-urlencoded", 413),
    ]
    for content, kind, status in cases:
        headers = {"Content-Type": kind, "Accept": "text/html"}
        answer = client.post("/call-for-proposals", content=content, headers=headers)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert not office.found(mark)


def test_submission_while_the_call_is_closed_is_refused_with_the_times(
    client: httpx2.Client, office: Office, window: Answer, talk: Talk, mark: str
) -> None:
    office.set_window(None, "2020-01-01T00:00:00Z")
    answer = client.post("/api/proposals", json=talk)
    assert problem(answer) == (403, "window-closed")
    assert answer.json()["closes_at"].startswith("2020-01-01T00:00:00")
    assert not office.found(mark)


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("GET", "/sessions/{}", "session-not-found"),
        ("GET", "/proposals/{}", "proposal-not-found"),
        ("POST", "/proposals/{}/decision", "proposal-not-found"),
        ("POST", "/proposals/{}/withdrawal", "proposal-not-found"),
        ("GET", "/proposals/{}/events", "proposal-not-found"),
        ("POST", "/deliveries/{}/retry", "delivery-not-found"),
    ],
)
def test_unknown_id_is_told(office: Office, method: str, path: str, kind: str) -> None:
    body = {"decision": "accepted"} if path.endswith("decision") else None
    answer = office.client.request(method, path.format(UNKNOWN), json=body)
    assert problem(answer) == (404, kind)


def test_decision_that_contradicts_the_first_is_refused(office: Office, accepted: Answer) -> None:
    path = f"/proposals/{accepted['id']}/decision"
    answer = office.client.post(path, json={"decision": "rejected"})
    assert problem(answer) == (409, "wrong-state")
    assert answer.json()["state"] == "accepted"
    assert office.proposal(accepted["id"]) == accepted


def test_edit_without_or_with_a_stale_version_is_refused(office: Office, submitted: Answer) -> None:
    path, change = f"/proposals/{submitted['id']}", {"title": "Mine"}
    assert problem(office.client.patch(path, json=change)) == (428, "if-match-required")
    stale = office.client.patch(path, json=change, headers={"If-Match": '"7"'})
    assert problem(stale) == (412, "stale-edit")
    assert stale.json()["current"] == submitted
    assert office.proposal(submitted["id"]) == submitted


def test_forged_token_opens_nothing(
    client: httpx2.Client, office: Office, submitted: Answer
) -> None:
    path, forged = f"/api/proposals/{submitted['id']}", {"Proposal-Token": "eyJwIjoxfQ.forged"}
    for method, address in (("GET", path), ("PATCH", path), ("POST", f"{path}/withdrawal")):
        body = {"title": "Mine"} if method == "PATCH" else None
        headers = {**forged, "If-Match": '"1"'}
        answer = client.request(method, address, json=body, headers=headers)
        assert problem(answer) == (403, "link-refused")
    assert office.proposal(submitted["id"]) == submitted


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=201", "state=maybe", "cursor=x", "q=%00", f"q={'x' * 101}"],
)
def test_list_with_a_bad_question_is_refused(office: Office, query: str) -> None:
    assert problem(office.client.get(f"/proposals?{query}")) == (422, "invalid-request")


def test_session_does_not_move_to_a_slot_that_does_not_exist(
    office: Office, accepted: Answer
) -> None:
    before = office.wait_for_session(accepted)
    path = f"/sessions/{accepted['id']}/slot"
    answer = office.client.put(path, json={"slot_id": "20990101T0000-roof"})
    assert problem(answer) == (422, "unknown-slot")
    assert office.session(accepted) == before
