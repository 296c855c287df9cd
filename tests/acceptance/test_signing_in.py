"""The back office is for who is signed in, and no other site can act in their name."""

from collections.abc import Callable
from urllib.parse import urlencode

import httpx2
import pytest
from tests.acceptance.office import Answer, Office, Talk
from tests.acceptance.site import Site
from tests.acceptance.visitor import Visitor, sign_in

from embedded.signing_in import sign_in as embedded_sign_in
from testkit.problems import problem


def test_back_office_asks_to_sign_in_and_then_shows_what_was_wanted(
    speaker: Visitor, site: Site
) -> None:
    speaker.open("/back-office?state=accepted&q=canaries")
    assert speaker.page.heading == "Sign in"
    sign_in(speaker, site, "Olga")
    assert speaker.page.url == f"{site.url}/back-office?state=accepted&q=canaries"


@pytest.mark.parametrize("place", ["", "/window", "/consistency", "/proposals/{id}"])
def test_every_place_of_the_back_office_needs_a_sign_in(
    speaker: Visitor, submitted: Answer, place: str
) -> None:
    speaker.open(f"/back-office{place.format(id=submitted['id'])}")
    assert speaker.page.heading == "Sign in"
    assert submitted["title"] not in speaker.page.text


@pytest.mark.parametrize(
    "place",
    ["/decisions", "/window", "/proposals/{id}/decision", "/deliveries/{id}/retry"],
)
def test_form_of_the_back_office_does_nothing_without_a_sign_in(
    speaker: Visitor, submitted: Answer, office: Office, place: str
) -> None:
    window = office.window()
    pairs = {"decision": "accepted", "proposal": submitted["id"], "closes_at": "2020-01-01T00:00"}
    address = f"/back-office{place.format(id=submitted['id'])}"
    speaker.send(address, urlencode(pairs).encode())
    assert speaker.page.heading == "Sign in"
    assert office.proposal(submitted["id"])["state"] == "submitted"
    assert office.window() == window


def test_wrong_passcode_is_refused_and_not_shown_again(speaker: Visitor, site: Site) -> None:
    speaker.open("/sign-in")
    speaker.press("Sign in", {"Name": "Mallory", "Passcode": f"{site.passcode}x"})
    assert speaker.page.status == 403
    assert speaker.page.error("Passcode", "Sign in") == "That is not the passcode."
    assert speaker.page.value("Name", "Sign in") == "Mallory"
    assert not speaker.page.value("Passcode", "Sign in")
    assert "session" not in speaker.cookies
    assert speaker.open("/back-office").heading == "Sign in"


def test_sign_out_ends_the_session_for_who_has_copied_it_too(
    organizer: Visitor, site: Site, client: httpx2.Client
) -> None:
    organizer.open("/back-office")
    kept = organizer.cookies["session"]
    organizer.press("Sign out")
    assert organizer.page.url == f"{site.url}/", "by way of the provider"
    assert not organizer.cookies
    headers = {"Cookie": f"session={kept}"}
    assert problem(client.get("/api/proposals", headers=headers)) == (401, "sign-in-required")
    assert organizer.open("/back-office").heading == "Sign in"


def test_cookie_is_out_of_reach_and_a_forged_one_opens_nothing(
    client: httpx2.Client, site: Site
) -> None:
    signed_in = embedded_sign_in(client, "Olga", site.passcode)
    cookie = signed_in.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    value = client.cookies["session"]
    client.cookies.clear()
    for forged in (f"{value}x", value[1:], "x.y"):
        answer = client.get("/api/proposals", headers={"Cookie": f"session={forged}"})
        assert problem(answer) == (401, "sign-in-required")


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "\thttps://evil.example", ""],
)
def test_sign_in_never_leads_to_another_site(
    client: httpx2.Client, site: Site, elsewhere: str
) -> None:
    answer = embedded_sign_in(client, "Olga", site.passcode, wanted=elsewhere)
    assert (answer.status_code, answer.headers["location"]) == (303, "/back-office")


def test_reviewer_reads_and_reviews_and_decides_nothing(
    reviewer: Visitor, submitted: Answer, office: Office
) -> None:
    reviewer.open(f"/back-office?q={submitted['title']}")
    assert not reviewer.page.has_button("Accept")
    reviewer.follow(submitted["title"])
    for forbidden in ("Accept", "Reject", "Send again"):
        assert not reviewer.page.has_button(forbidden)
    assert not reviewer.page.has_link("Call window")
    reviewer.press("Save the review", {"Comment": "Clear, and new."})
    assert reviewer.page.error("Score", "Save the review") == "Choose a score."
    assert reviewer.page.value("Comment", "Save the review") == "Clear, and new."
    reviewer.press("Save the review", {"Score": "4"})
    assert "Your review is saved." in reviewer.page.said("status")
    assert "4 by Rita Reviewer" in reviewer.page.text
    (found,) = office.found(submitted["title"])
    assert found["score"] == {"average": 4.0, "count": 1}
    path = f"/back-office/proposals/{submitted['id']}/decision"
    reviewer.send(path, b"decision=accepted")
    assert reviewer.page.status == 403
    assert office.proposal(submitted["id"])["state"] == "submitted"


def test_organizer_sees_what_reviewers_think(
    organizer: Visitor, reviewer: Visitor, submitted: Answer
) -> None:
    reviewer.open(f"/back-office/proposals/{submitted['id']}")
    reviewer.press("Save the review", {"Score": "5", "Comment": "<b>Yes</b>"})
    organizer.open(f"/back-office?q={submitted['title']}")
    assert any("5.0 of 1" in cell for row in organizer.page.rows() for cell in row)
    organizer.follow(submitted["title"])
    assert "5.0 of 5 on average, by one person." in organizer.page.text
    assert "<b>Yes</b>" in organizer.page.text


def test_nobody_in_particular_sees_their_own_proposals_alone(
    speaker: Visitor, site: Site, office: Office, new_talk: Callable[[], Talk]
) -> None:
    own, other = new_talk(), new_talk()
    mine, theirs = office.submit(own), office.submit(other)
    speaker.open(f"/back-office?q={own['title']}")
    sign_in(speaker, site, "Ada", email=own["speaker_email"].upper(), organizer=False)
    assert speaker.page.status == 403
    assert "You are signed in as Ada" in speaker.page.text
    assert speaker.page.has_button("Sign out, to be somebody else")
    speaker.open(f"/proposals/{mine['id']}")
    assert speaker.page.heading == own["title"]
    speaker.press("Save changes", {"Title": f"{own['title']} again"})
    assert "Your changes are saved." in speaker.page.said("status")
    speaker.open(f"/proposals/{theirs['id']}")
    assert speaker.page.status == 403
    assert "not with the address" in speaker.page.text
    assert office.events(mine)[-1]["actor"] == "Ada"


def test_reviewer_finds_changes_and_withdraws_their_own_talk(
    speaker: Visitor, site: Site, office: Office, new_talk: Callable[[], Talk]
) -> None:
    own, other = new_talk(), new_talk()
    mine, theirs = office.submit(own), office.submit(other)
    speaker.open("/")
    speaker.follow("My Proposals")
    sign_in(speaker, site, "Rita", email=own["speaker_email"], organizer=False, reviewer=True)
    assert speaker.page.heading == "My Proposals"
    assert not speaker.page.has_link(other["title"])
    speaker.follow(own["title"])
    speaker.press("Save changes", {"Title": f"{own['title']} again"})
    assert "Your changes are saved." in speaker.page.said("status")
    speaker.press("Withdraw proposal", {"Yes, I want to withdraw it": True})
    assert "Your proposal is withdrawn." in speaker.page.said("status")
    assert [each["actor"] for each in office.events(mine)][1:] == ["Rita", "Rita"]
    speaker.open(f"/proposals/{theirs['id']}")
    assert "/back-office/" in speaker.page.url
    speaker.open("/my-proposals")
    speaker.press("Sign out")
    speaker.open("/my-proposals")
    assert speaker.page.heading == "Sign in"


@pytest.mark.parametrize(
    "origin",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
    ],
)
def test_form_of_another_site_changes_nothing(
    client: httpx2.Client,
    office: Office,
    submitted: Answer,
    new_talk: Callable[[], Talk],
    mark: str,
    origin: dict[str, str],
) -> None:
    headers = {"Accept": "text/html", **origin}
    handed_in = client.post("/call-for-proposals", data=new_talk(), headers=headers)
    assert handed_in.status_code == 403
    assert "That is not allowed" in handed_in.text
    path = f"/proposals/{submitted['id']}/decision"
    decided = office.client.post(path, json={"decision": "accepted"}, headers=origin)
    assert problem(decided) == (403, "cross-site")
    (only,) = office.found(mark)
    assert only["state"] == "submitted"


def test_page_allows_nothing_that_is_not_its_own(client: httpx2.Client) -> None:
    headers = client.get("/").headers
    assert headers["content-security-policy"].startswith("default-src 'none';")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
