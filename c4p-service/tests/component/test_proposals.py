"""Submitting, reading, editing, deciding and withdrawing over HTTP."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx2
import pytest

DRAFT = {
    "title": "Outboxes",
    "abstract": "Why calls belong in tables.",
    "speaker_name": "Ada Lovelace",
    "speaker_email": "ada@example.org",
}
Submit = Callable[..., dict[str, Any]]
Query = Callable[[str], list[tuple[Any, ...]]]


def decide(client: httpx2.Client, proposal: dict[str, Any], decision: str) -> httpx2.Response:
    return client.post(f"/proposals/{proposal['id']}/decision", json={"decision": decision})


def assert_problem(answer: httpx2.Response, status: int, slug: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["type"] == f"urn:problem:{slug}"
    assert problem["status"] == status
    return problem


def test_submission_is_created_and_readable(client: httpx2.Client) -> None:
    answer = client.post("/proposals", json={**DRAFT, "title": "  Outboxes  "})
    assert answer.status_code == 201
    assert answer.headers["etag"] == '"1"'
    proposal = answer.json()
    assert answer.headers["location"] == f"/proposals/{proposal['id']}"
    assert proposal["title"] == "Outboxes"
    assert proposal["state"] == "submitted"
    assert proposal["submitted_at"].endswith("Z")
    assert client.get(answer.headers["location"]).json() == proposal


def test_submission_repeated_with_its_key_is_one_proposal(
    client: httpx2.Client, query: Query
) -> None:
    headers = {"Idempotency-Key": str(uuid4())}
    with ThreadPoolExecutor(20) as pool:
        answers = list(
            pool.map(lambda _: client.post("/proposals", json=DRAFT, headers=headers), range(20))
        )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert query("SELECT count(*) FROM proposals") == [(1,)]
    assert query("SELECT count(*) FROM deliveries") == [(1,)]


def test_submission_with_a_used_key_and_other_words_is_refused(client: httpx2.Client) -> None:
    headers = {"Idempotency-Key": str(uuid4())}
    client.post("/proposals", json=DRAFT, headers=headers)
    other = client.post("/proposals", json={**DRAFT, "title": "Other"}, headers=headers)
    assert_problem(other, 422, "idempotency-key-reused")


def test_list_pages_through_everything_once(client: httpx2.Client, submit: Submit) -> None:
    made = [submit(title=f"Talk {number}")["id"] for number in range(7)]
    seen: list[str] = []
    cursor: str | None = None
    while True:
        after = f"&cursor={cursor}" if cursor else ""
        page = client.get(f"/proposals?limit=3{after}").json()
        seen += [each["id"] for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == made[::-1]


def test_list_filters_by_state_and_words(client: httpx2.Client, submit: Submit) -> None:
    decide(client, submit(title="100% uptime"), "accepted")
    submit(title="1000 ways")
    submit(abstract="About 100% honesty")
    page = client.get("/proposals", params={"q": "100%"}).json()
    assert len(page["items"]) == 2
    assert page["counts"] == {"submitted": 1, "accepted": 1, "rejected": 0, "withdrawn": 0}
    accepted = client.get("/proposals", params={"q": "100%", "state": "accepted"}).json()
    assert [each["title"] for each in accepted["items"]] == ["100% uptime"]


def test_edit_changes_the_text_and_the_version(client: httpx2.Client, submit: Submit) -> None:
    path = f"/proposals/{submit()['id']}"
    edited = client.patch(path, json={"title": "Better"}, headers={"If-Match": '"1"'})
    assert edited.status_code == 200
    assert edited.headers["etag"] == '"2"'
    assert client.get(path).json()["title"] == "Better"


def test_edit_of_a_stale_version_is_refused_and_shows_the_current(
    client: httpx2.Client, submit: Submit
) -> None:
    path = f"/proposals/{submit()['id']}"
    client.patch(path, json={"title": "Hers"}, headers={"If-Match": '"1"'})
    mine = client.patch(path, json={"title": "Mine"}, headers={"If-Match": '"1"'})
    problem = assert_problem(mine, 412, "stale-edit")
    assert problem["current"]["title"] == "Hers"
    assert client.get(path).json()["title"] == "Hers"


@pytest.mark.parametrize(
    "headers",
    [
        [("If-Match", '"7", "1"')],
        [("If-Match", '"7"'), ("If-Match", '"1"')],
        [("If-Match", 'W/"1", "1"')],
    ],
)
def test_edit_takes_a_list_in_which_the_version_is_named(
    client: httpx2.Client, submit: Submit, headers: list[tuple[str, str]]
) -> None:
    path = f"/proposals/{submit()['id']}"
    edited = client.patch(path, json={"title": "Better"}, headers=headers)
    assert edited.status_code == 200, edited.text


def test_edit_without_if_match_is_refused(client: httpx2.Client, submit: Submit) -> None:
    answer = client.patch(f"/proposals/{submit()['id']}", json={"title": "Mine"})
    assert_problem(answer, 428, "if-match-required")


def test_edit_after_the_decision_is_refused(client: httpx2.Client, submit: Submit) -> None:
    proposal = submit()
    decide(client, proposal, "rejected")
    answer = client.patch(
        f"/proposals/{proposal['id']}", json={"title": "Late"}, headers={"If-Match": "*"}
    )
    assert assert_problem(answer, 409, "wrong-state")["state"] == "rejected"


def test_decision_contradicting_an_acceptance_is_refused(
    client: httpx2.Client, submit: Submit
) -> None:
    proposal = submit()
    assert decide(client, proposal, "accepted").json()["state"] == "accepted"
    assert_problem(decide(client, proposal, "rejected"), 409, "wrong-state")
    assert client.get(f"/proposals/{proposal['id']}").json()["version"] == 2


def test_rejection_may_be_turned_into_an_acceptance(client: httpx2.Client, submit: Submit) -> None:
    proposal = submit()
    decide(client, proposal, "rejected")
    assert decide(client, proposal, "accepted").json()["state"] == "accepted"


def test_fifty_approvals_at_once_are_one_decision(
    client: httpx2.Client, submit: Submit, query: Query
) -> None:
    proposal = submit()
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: decide(client, proposal, "accepted"), range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert query("SELECT kind, count(*) FROM events GROUP BY kind ORDER BY kind") == [
        ("accepted", 1),
        ("submitted", 1),
    ]
    assert query("SELECT count(*) FROM deliveries WHERE kind = 'session'") == [(1,)]
    assert query("SELECT count(*) FROM deliveries WHERE kind = 'accepted'") == [(1,)]


def test_fifty_contradicting_decisions_at_once_leave_one_story(
    client: httpx2.Client, submit: Submit, query: Query
) -> None:
    proposal = submit()
    wanted = ["accepted", "rejected"] * 25
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda each: decide(client, proposal, each), wanted))
    assert {answer.status_code for answer in answers} <= {200, 409}
    kinds = [row[0] for row in query("SELECT kind FROM events ORDER BY version")]
    assert kinds in (["submitted", "accepted"], ["submitted", "rejected", "accepted"])


def test_many_decisions_have_a_result_each(client: httpx2.Client, submit: Submit) -> None:
    fresh, taken, unknown = submit(), submit(), str(uuid4())
    decide(client, taken, "accepted")
    decisions = [
        {"proposal_id": fresh["id"], "decision": "accepted", "message": "Welcome"},
        {"proposal_id": taken["id"], "decision": "rejected"},
        {"proposal_id": unknown, "decision": "rejected"},
    ]
    answer = client.post("/proposals/decisions", json={"decisions": decisions})
    assert answer.status_code == 200
    good, conflict, missing = answer.json()["results"]
    assert (good["status"], good["proposal"]["message"]) == (200, "Welcome")
    assert (conflict["status"], conflict["problem"]["state"]) == (409, "accepted")
    assert (missing["status"], missing["problem"]["type"]) == (
        404,
        "urn:problem:proposal-not-found",
    )


def test_withdrawal_repeated_is_one_event(client: httpx2.Client, submit: Submit) -> None:
    proposal = submit()
    for _ in range(2):
        answer = client.post(f"/proposals/{proposal['id']}/withdrawal")
        assert (answer.status_code, answer.json()["state"]) == (200, "withdrawn")
    events = client.get(f"/proposals/{proposal['id']}/events").json()["items"]
    assert [each["kind"] for each in events] == ["submitted", "withdrawn"]


def test_withdrawal_of_a_rejected_proposal_is_refused(
    client: httpx2.Client, submit: Submit
) -> None:
    proposal = submit()
    decide(client, proposal, "rejected")
    answer = client.post(f"/proposals/{proposal['id']}/withdrawal")
    assert_problem(answer, 409, "wrong-state")


@pytest.mark.parametrize("path", ["", "/events", "/decision", "/withdrawal"])
def test_unknown_proposal_is_a_problem(client: httpx2.Client, path: str) -> None:
    url = f"/proposals/{uuid4()}{path}"
    if path in {"", "/events"}:
        answer = client.get(url)
    else:
        answer = client.post(url, json={"decision": "accepted"})
    assert_problem(answer, 404, "proposal-not-found")
