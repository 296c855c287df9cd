"""The back office is for who is signed in, and no other site can act in their name."""

from collections.abc import Callable
from urllib.parse import urlencode

import httpx2
import pytest
from tests.acceptance.office import Answer, Office, Talk
from tests.acceptance.site import Site
from tests.acceptance.visitor import Visitor

from servicekit.testing import problem


def test_back_office_asks_to_sign_in_and_then_shows_what_was_wanted(
    speaker: Visitor, site: Site
) -> None:
    speaker.open("/back-office?state=accepted&q=canaries")
    assert speaker.page.heading == "Sign in"
    speaker.press("Sign in", {"Name": "Olga", "Passcode": site.passcode})
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
    assert not speaker.cookies
    assert speaker.open("/back-office").heading == "Sign in"


def test_sign_out_ends_the_session(organizer: Visitor) -> None:
    organizer.open("/back-office")
    organizer.press("Sign out")
    assert not organizer.cookies
    assert organizer.open("/back-office").heading == "Sign in"


def test_cookie_is_out_of_reach_and_a_forged_one_opens_nothing(
    client: httpx2.Client, site: Site
) -> None:
    form = {"name": "Olga", "passcode": site.passcode, "next": "/"}
    signed_in = client.post("/sign-in", data=form)
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
    form = {"name": "Olga", "passcode": site.passcode, "next": elsewhere}
    answer = client.post("/sign-in", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/back-office")


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
