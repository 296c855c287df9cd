"""Rights on proposals, and the names on record."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from joserfc import jwt

from testkit.access import assert_closed
from testkit.fake import FakeNeighbour
from testkit.issuer import Issuer
from testkit.problems import problem
from testkit.process import Process
from testkit.waiting import wait_for

Submit = Callable[..., dict[str, Any]]
Query = Callable[[str], list[tuple[Any, ...]]]

DRAFT = {
    "title": "Outboxes",
    "abstract": "Why calls belong in tables.",
    "speaker_name": "Ada Lovelace",
    "speaker_email": "ada@example.org",
}
REPORT = {
    "id": str(uuid4()),
    "checked_at": "2027-01-10T09:00:00Z",
    "complete": True,
    "findings": [],
}
READERS = {"organizer", "reviewer", "auditor"}
OFFICE = {"organizer", "auditor"}


def test_every_route_but_the_open_call_wants_a_role(nobody: httpx2.Client, issuer: Issuer) -> None:
    # Whoever is signed in may ask for their own; see below what that takes.
    own = ("GET", "/me/proposals")
    assert_closed(nobody, issuer, ("POST", "/proposals"), ("GET", "/cfp"), own)


@pytest.mark.parametrize(
    ("method", "path", "body", "roles"),
    [
        ("GET", "/proposals", None, READERS),
        ("GET", "/proposals/{id}", None, READERS),
        ("PATCH", "/proposals/{id}", {"title": "Inboxes"}, {"organizer"}),
        ("GET", "/proposals/{id}/events", None, READERS),
        ("GET", "/proposals/{id}/emails", None, OFFICE),
        ("GET", "/proposals/{id}/reviews", None, READERS),
        ("PUT", "/proposals/{id}/review", {"score": 4, "comment": "Yes."}, {"reviewer"}),
        ("POST", "/proposals/{id}/decision", {"decision": "rejected"}, {"organizer"}),
        ("POST", "/proposals/{id}/withdrawal", None, {"organizer"}),
        ("POST", "/proposals/decisions", {"decisions": []}, {"organizer"}),
        ("PUT", "/cfp", {"opens_at": None, "closes_at": None}, {"organizer"}),
        ("GET", "/deliveries", None, OFFICE),
        ("POST", "/deliveries/{id}/retry", None, {"organizer", "repairer"}),
        ("GET", "/consistency-reports", None, OFFICE),
        ("PUT", "/consistency-reports", REPORT, {"auditor"}),
        ("GET", "/actions", None, OFFICE),
    ],
)
def test_role_allows_its_own_and_no_more(
    nobody: httpx2.Client,
    submit: Submit,
    issuer: Issuer,
    method: str,
    path: str,
    body: Any,
    roles: set[str],
) -> None:
    address = path.format(id=submit()["id"])
    every = ("organizer", "reviewer", "auditor", "repairer", "agenda-writer", "mail-sender", "x")
    for role in every:
        headers = {**issuer.bearer(role, email="eve@example.org"), "If-Match": "*"}
        answer = nobody.request(method, address, json=body, headers=headers)
        assert (answer.status_code not in {401, 403}) is (role in roles), (role, answer.text)
        if role not in roles:
            assert problem(answer) == (403, "role-required")


@pytest.mark.parametrize("header", ["X-Actor", "X-Forwarded-User", "Remote-User"])
def test_name_in_a_header_is_nobody(nobody: httpx2.Client, submit: Submit, header: str) -> None:
    path = f"/proposals/{submit()['id']}"
    answer = nobody.post(f"{path}/withdrawal", headers={header: "Olga"})
    assert problem(answer) == (401, "sign-in-required")


def events(client: httpx2.Client, proposal: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    items = client.get(f"/proposals/{proposal['id']}/events").json()["items"]
    return [(each["kind"], each["actor"], each["subject"]) for each in items]


def test_history_names_who_the_token_names(
    client: httpx2.Client, nobody: httpx2.Client, email: FakeNeighbour, issuer: Issuer
) -> None:
    proposal = nobody.post("/proposals", json=DRAFT).json()
    path = f"/proposals/{proposal['id']}"
    mail = wait_for(lambda: email.calls, "the mail with the link")[0]
    token = mail.body["data"]["link"].partition("token=")[2]
    link = {"Proposal-Token": token, "If-Match": "*"}
    nobody.patch(path, json={"title": "Inboxes"}, headers=link).raise_for_status()
    olga = issuer.bearer("organizer", name="Olga Ünal\x00", sub="olga")
    decision = {"decision": "rejected"}
    nobody.post(f"{path}/decision", json=decision, headers=olga).raise_for_status()
    assert events(client, proposal) == [
        ("submitted", "anonymous", None),
        ("edited", "speaker", None),
        ("rejected", "Olga Ünal", "olga"),
    ]


def test_history_knows_who_used_a_link_while_signed_in(
    client: httpx2.Client, nobody: httpx2.Client, email: FakeNeighbour, issuer: Issuer
) -> None:
    proposal = nobody.post("/proposals", json=DRAFT).json()
    mail = wait_for(lambda: email.calls, "the mail with the link")[0]
    link = {"Proposal-Token": mail.body["data"]["link"].partition("token=")[2]}
    withdrawal = f"/proposals/{proposal['id']}/withdrawal"
    headers = {**link, **issuer.bearer(name="Sam")}
    nobody.post(withdrawal, headers=headers).raise_for_status()
    assert events(client, proposal)[1] == ("withdrawn", "speaker", "subject-of-Sam")


def test_own_proposals_are_those_under_the_verified_address(
    nobody: httpx2.Client, submit: Submit, issuer: Issuer
) -> None:
    first = submit(speaker_email="ada@straße.example")
    submit(speaker_email="eve@example.org")
    submit(speaker_email="ada@strasse.example")
    second = submit(speaker_email="ADA@straße.example")
    ada = issuer.bearer(name="Ada", email="Ada@straße.example", email_verified=True)
    found = nobody.get("/me/proposals", headers=ada).json()
    assert [each["id"] for each in found["items"]] == [second["id"], first["id"]]
    assert found["next_cursor"] is None
    assert "score" not in found["items"][0], "what reviewers think is not told"
    page = nobody.get("/me/proposals", params={"limit": 1}, headers=ada).json()
    cursor = {"cursor": page["next_cursor"]}
    rest = nobody.get("/me/proposals", params=cursor, headers=ada).json()
    assert [each["id"] for each in (*page["items"], *rest["items"])] == [second["id"], first["id"]]


def test_own_proposals_can_be_asked_for_one(
    nobody: httpx2.Client, submit: Submit, issuer: Issuer
) -> None:
    own, other = submit(speaker_email="ada@example.org"), submit(speaker_email="eve@example.org")
    ada = issuer.bearer("organizer", email="ada@example.org", email_verified=True)
    for proposal, count in ((own, 1), (other, 0)):
        params = {"proposal_id": proposal["id"]}
        found = nobody.get("/me/proposals", params=params, headers=ada).json()["items"]
        assert len(found) == count


@pytest.mark.parametrize(
    "claims", [{}, {"email": "ada@example.org"}, {"email": 7, "email_verified": True}]
)
def test_own_proposals_are_nobodys_without_a_verified_address(
    nobody: httpx2.Client, issuer: Issuer, claims: dict[str, Any]
) -> None:
    assert problem(nobody.get("/me/proposals")) == (401, "sign-in-required")
    answer = nobody.get("/me/proposals", headers=issuer.bearer("organizer", **claims))
    assert problem(answer) == (403, "address-not-verified")


def test_signed_in_submission_is_in_the_name_of_who_sent_it(
    client: httpx2.Client, issuer: Issuer
) -> None:
    ada = issuer.bearer(name="Ada")
    proposal = client.post("/proposals", json=DRAFT, headers=ada).json()
    assert events(client, proposal) == [("submitted", "Ada", "subject-of-Ada")]


def test_speaker_is_who_has_verified_the_address(
    nobody: httpx2.Client, submit: Submit, issuer: Issuer
) -> None:
    path = f"/proposals/{submit(speaker_email='ada@example.org')['id']}"
    ada = issuer.bearer(name="Ada", email="ADA@example.org", email_verified=True)
    assert nobody.get(path, headers=ada).is_success
    changed = nobody.patch(path, json={"title": "In"}, headers={**ada, "If-Match": "*"})
    assert changed.is_success
    for address in ("/proposals", f"{path}/reviews", f"{path}/events"):
        assert problem(nobody.get(address, headers=ada)) == (403, "role-required")
    assert nobody.post(f"{path}/withdrawal", headers=ada).is_success


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "ada@example.org"},
        {"email": "ada@example.org", "email_verified": False},
        {"email": "eve@example.org", "email_verified": True},
        {},
    ],
)
def test_address_that_is_not_verified_or_anothers_opens_nothing(
    nobody: httpx2.Client, submit: Submit, issuer: Issuer, claims: dict[str, Any]
) -> None:
    somebody = issuer.bearer(name="Eve", **claims)
    for proposal_id in (submit(speaker_email="ada@example.org")["id"], uuid4()):
        answer = nobody.get(f"/proposals/{proposal_id}", headers=somebody)
        assert problem(answer) == (403, "role-required"), "which ids there are is not told"


def test_calls_to_others_carry_the_services_own_identity(
    client: httpx2.Client,
    submit: Submit,
    agenda: FakeNeighbour,
    email: FakeNeighbour,
    issuer: Issuer,
) -> None:
    path = f"/proposals/{submit()['id']}"
    client.post(f"{path}/decision", json={"decision": "accepted"}).raise_for_status()
    client.get(f"{path}/emails").raise_for_status()
    for fake, audience in ((agenda, "conference"), (email, "conference-mail")):
        wait_for(lambda fake=fake: fake.calls, "a call")  # type: ignore[misc]
        for call in fake.calls:
            token = call.headers["authorization"].removeprefix("Bearer ")
            said = jwt.decode(token, issuer.key).claims
            assert (said["name"], said["aud"]) == ("c4p-service", audience)


@pytest.fixture
def reviewer(nobody: httpx2.Client, issuer: Issuer) -> Callable[..., httpx2.Response]:
    """Lets somebody review a proposal."""

    def review(proposal: dict[str, Any], name: str, score: Any, comment: str) -> httpx2.Response:
        body = {"score": score, "comment": comment}
        headers = issuer.bearer("reviewer", name=name)
        return nobody.put(f"/proposals/{proposal['id']}/review", json=body, headers=headers)

    return review


def test_reviews_are_one_for_each_person_and_make_a_mean(
    client: httpx2.Client, submit: Submit, reviewer: Callable[..., httpx2.Response]
) -> None:
    proposal, other = submit(), submit()
    for name, score, comment in [("Rita", 2, "Hm."), ("Rolf", 5, "Yes!"), ("Rita", 4, "Better.")]:
        assert reviewer(proposal, name, score, comment).is_success
    path = f"/proposals/{proposal['id']}/reviews"
    found = {each["reviewer"]: each for each in client.get(path).json()["items"]}
    assert {name: each["score"] for name, each in found.items()} == {"Rita": 4, "Rolf": 5}
    assert found["Rita"]["comment"] == "Better."
    listed = {each["id"]: each["score"] for each in client.get("/proposals").json()["items"]}
    assert listed == {proposal["id"]: {"average": 4.5, "count": 2}, other["id"]: None}


@pytest.mark.parametrize(
    ("score", "comment"), [(0, "x"), (6, "x"), ("3", "x"), (3.5, "x"), (3, " ")]
)
def test_review_that_is_none_is_refused(
    submit: Submit, reviewer: Callable[..., httpx2.Response], score: Any, comment: str
) -> None:
    assert problem(reviewer(submit(), "Rita", score, comment)) == (422, "invalid-request")


def test_review_comes_too_late_once_it_is_decided(
    client: httpx2.Client, submit: Submit, reviewer: Callable[..., httpx2.Response]
) -> None:
    proposal = submit()
    client.post(f"/proposals/{proposal['id']}/decision", json={"decision": "rejected"})
    assert problem(reviewer(proposal, "Rita", 3, "Fine.")) == (409, "wrong-state")
    assert problem(reviewer({"id": uuid4()}, "Rita", 3, "x")) == (404, "proposal-not-found")


def test_actions_name_who_did_what(
    client: httpx2.Client,
    service: Process,
    submit: Submit,
    issuer: Issuer,
    reviewer: Callable[..., httpx2.Response],
) -> None:
    proposal = submit()
    delivery = client.get("/deliveries").json()["items"][0]
    olga = issuer.bearer("organizer", name="Olga Organizer")
    retried = client.post(f"/deliveries/{delivery['id']}/retry", headers=olga)
    assert retried.is_success
    bounds = {"opens_at": None, "closes_at": "2120-01-01T00:00:00Z"}
    assert client.put("/cfp", json=bounds, headers=olga).is_success
    assert reviewer(proposal, "Rita", 3, "Fine.").is_success
    first = client.get("/actions", params={"limit": 1}).json()
    rest = client.get("/actions", params={"cursor": first["next_cursor"]}).json()
    found = [(each["kind"], each["actor"]) for each in [*first["items"], *rest["items"]]]
    assert found == [
        ("reviewed", "Rita"),
        ("window set", "Olga Organizer"),
        ("delivery retried", "Olga Organizer"),
    ]
    assert rest["items"][0]["data"] == bounds
    assert rest["items"][1]["data"] == {"delivery": delivery["id"]}
    lines = [line for line in service.log_text().splitlines() if '"audit"' in line]
    assert any("subject-of-Rita" in line for line in lines)
    assert not any('"Rita"' in line or "actor" in line for line in lines)


def test_refused_retry_leaves_no_trace(client: httpx2.Client) -> None:
    assert problem(client.post(f"/deliveries/{uuid4()}/retry")) == (404, "delivery-not-found")
    assert client.get("/actions").json()["items"] == []
