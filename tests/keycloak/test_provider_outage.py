"""Keycloak stops and comes back, and no other process does."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx2
from playwright.sync_api import Page, expect
from tests.acceptance.mails import Mails
from tests.acceptance.office import Answer, Office, Talk
from tests.acceptance.programs import program
from tests.acceptance.site import Site
from tests.browser.conftest import NewPage
from tests.keycloak.people import at_keycloak, enter, sign_in
from tests.keycloak.realm import Realm
from tests.resilience.support import outage

from embedded.platform import Platform
from testkit.problems import problem
from testkit.waiting import wait_for

USUAL_SECONDS = 300
SHORT_SECONDS = 45
"""How long tokens live here: long enough to stop Keycloak and look around, on a busy machine."""


@contextmanager
def token_seconds(realm: Realm, seconds: int) -> Iterator[None]:
    """Let access tokens live so long that are given out meanwhile."""
    realm.set_token_seconds(seconds)
    try:
        yield
    finally:
        realm.set_token_seconds(USUAL_SECONDS)


def shows(page: Page, address: str, heading: str) -> bool:
    """Return whether `page` has that heading now, after going to `address`."""
    page.goto(address)
    return page.get_by_role("heading", name=heading, exact=True, level=1).is_visible()


def test_who_is_signed_in_goes_on_until_the_token_expires_and_others_are_told(
    platform: Platform,
    site: Site,
    realm: Realm,
    new_page: NewPage,
    accepted: Answer,
    new_talk: Callable[[], Talk],
    office: Office,
    mails: Mails,
) -> None:
    # Every service has met the provider: one has decided, others have carried that out.
    office.wait_until_told(accepted)
    talk = new_talk()
    submitted = office.submit(talk)
    organizer, visitor = new_page(), new_page()
    with token_seconds(realm, SHORT_SECONDS):
        sign_in(organizer, "olga", site.passcode)
    with outage(platform, "stopped", "keycloak"):
        organizer.goto(f"/back-office/proposals/{submitted['id']}")
        organizer.get_by_role("button", name="Accept").click()
        expect(organizer.get_by_role("status")).to_contain_text("The proposal is accepted.")
        office.wait_for_session(submitted)
        mails.wait_for(talk["speaker_email"], f"Your proposal is accepted: {talk['title']}")

        assert shows(visitor, "/back-office", "Signing in is not possible just now")
        visitor.get_by_role("main").get_by_role("link", name="Agenda").click()
        expect(visitor.get_by_role("link", name=talk["title"])).to_be_visible()

        wait_for(
            lambda: shows(organizer, "/back-office", "Not available just now"),
            "the token to expire",
            2 * SHORT_SECONDS,
            1,
        )
        expect(organizer.get_by_text("identity provider")).to_be_visible()

    wait_for(lambda: shows(organizer, "/back-office", "Proposals"), "the session to go on", 30, 1)
    wait_for(
        lambda: visitor.goto("/back-office") and at_keycloak(visitor).is_visible(),
        "Keycloak to ask again who somebody is",
        30,
        1,
    )
    enter(visitor, "rita", site.passcode)
    expect(visitor.get_by_role("heading", name="Proposals", level=1)).to_be_visible()


def test_service_that_starts_without_a_provider_finds_it_when_it_is_back(
    platform: Platform, site: Site, office: Office, mails: Mails, talk: Talk
) -> None:
    with outage(platform, "stopped", "keycloak"):
        platform.kill("c4p-service")
        platform.wait_until_ready("c4p-service")
        answer = wait_for(
            lambda: _unless(office, 502), "the gateway to find c4p-service again", 30, 0.2
        )
        assert problem(answer) == (503, "unavailable")
        # Whoever needs no identity is served, and nothing of what they did is lost.
        with program(site.url) as anybody:
            assert anybody.post("/api/proposals", json=talk).status_code == 201
    wait_for(lambda: office.client.get("/proposals").status_code == 200, "the keys", 30, 0.5)
    mails.link_to(talk["speaker_email"])


def _unless(office: Office, status: int) -> httpx2.Response | None:
    answer = office.client.get("/proposals")
    return None if answer.status_code == status else answer
