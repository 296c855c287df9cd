"""People sign in at Keycloak in a real browser, and see what their role lets them see."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from tests.acceptance.mails import Mails
from tests.acceptance.office import Answer, Office, Talk
from tests.acceptance.programs import program
from tests.acceptance.site import Site
from tests.browser.conftest import NewPage
from tests.keycloak.people import at_keycloak, enter, sign_in

from embedded.platform import Platform
from embedded.signing_in import sign_in_at_keycloak
from testkit.problems import problem

LONGEST_COOKIE = 4096
"""Bytes of a name and its value, which RFC 6265 lets every browser keep."""


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without JavaScript"])
def page(new_page: NewPage, request: pytest.FixtureRequest) -> Page:
    """Somebody's page, who is not signed in yet."""
    return new_page(java_script_enabled=request.param)


def test_organizer_decides_and_services_carry_it_out(
    page: Page, site: Site, submitted: Answer, talk: Talk, office: Office, mails: Mails
) -> None:
    address = f"{site.url}/back-office/proposals/{submitted['id']}"
    page.goto(address)
    enter(page, "olga", site.passcode)
    expect(page).to_have_url(address)
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("status")).to_contain_text("The proposal is accepted.")
    expect(page.get_by_text("Accepted by Olga Organizer")).to_be_visible()
    # c4p-service has told the others so, in its own name.
    assert office.wait_for_session(submitted)["title"] == talk["title"]
    mails.wait_for(talk["speaker_email"], f"Your proposal is accepted: {talk['title']}")
    page.goto("/back-office/window")
    expect(page.get_by_role("heading", name="Call window", level=1)).to_be_visible()


def test_reviewer_reads_and_reviews_and_does_not_decide(
    page: Page, site: Site, submitted: Answer, office: Office
) -> None:
    sign_in(page, "rita", site.passcode)
    page.goto(f"/back-office/proposals/{submitted['id']}")
    expect(page.get_by_role("button", name="Accept")).to_have_count(0)
    page.get_by_label("Score").select_option("4")
    page.get_by_label("Comment").fill("I would come.")
    page.get_by_role("button", name="Save the review").click()
    expect(page.get_by_text("by Rita Reviewer")).to_be_visible()
    page.goto("/back-office/window")
    expect(page.get_by_text("You are signed in as Rita Reviewer")).to_be_visible()
    assert office.proposal(submitted["id"])["state"] == "submitted"


def test_who_has_no_role_sees_their_own_proposals_alone(
    page: Page, site: Site, office: Office, new_talk: Callable[[], Talk]
) -> None:
    own = office.submit({**new_talk(), "speaker_email": "sam@example.org"})
    other = office.submit(new_talk())
    page.goto("/back-office")
    enter(page, "sam", site.passcode)
    expect(page.get_by_role("heading", name="That is not allowed", level=1)).to_be_visible()
    expect(page.get_by_text("You are signed in as Sam Speaker")).to_be_visible()
    page.goto(f"/proposals/{own['id']}")
    expect(page.get_by_role("button", name="Save changes")).to_be_visible()
    page.goto(f"/proposals/{other['id']}")
    expect(page.get_by_text("not with the address that this proposal")).to_be_visible()


def test_role_decides_at_the_gateway_too(
    platform: Platform, submitted: Answer, office: Office
) -> None:
    for name in ("rita", "sam"):
        with program(platform.urls.site) as client:
            sign_in_at_keycloak(client, name, platform.passcode)
            path = f"/api/proposals/{submitted['id']}/decision"
            answer = client.post(path, json={"decision": "accepted"})
        assert problem(answer) == (403, "role-required")
    assert office.proposal(submitted["id"])["state"] == "submitted"


def test_sign_out_ends_the_session_at_the_provider_too(page: Page, site: Site) -> None:
    sign_in(page, "olga", site.passcode)
    # While the session lasts there, nobody is asked again.
    page.context.clear_cookies(name="session")
    page.goto("/back-office")
    expect(page).to_have_url(f"{site.url}/back-office")
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{site.url}/")
    assert "session" not in {each["name"] for each in page.context.cookies(site.url)}
    page.goto("/back-office")
    expect(at_keycloak(page)).to_be_visible()


# A person each: Keycloak locks who sends two wrong passwords within a second out for a minute.
@pytest.mark.parametrize(
    ("javascript", "person"),
    [(True, "sam"), (False, "rita")],
    ids=["with JavaScript", "without JavaScript"],
)
def test_wrong_password_signs_nobody_in(
    new_page: NewPage, site: Site, javascript: bool, person: str
) -> None:
    page = new_page(java_script_enabled=javascript)
    page.goto("/back-office")
    enter(page, person, f"{site.passcode}x")
    expect(page.get_by_text("Invalid username or password.")).to_be_visible()
    page.goto("/")
    assert "session" not in {each["name"] for each in page.context.cookies(site.url)}


def test_cookie_holds_no_token_and_is_out_of_reach(page: Page, site: Site) -> None:
    sign_in(page, "olga", site.passcode)
    (cookie,) = (each for each in page.context.cookies(site.url) if each["name"] == "session")
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"
    assert len(cookie["name"] + cookie["value"]) < LONGEST_COOKIE
    # Three base64 parts that begin with a JSON object: a signed token.
    assert not re.search(r"eyJ[\w-]+\.eyJ[\w-]+\.", cookie["value"])
