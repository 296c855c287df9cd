"""The OpenID provider stopped, frozen and killed: who is signed in goes on, nothing is lost."""

import httpx2
import pytest
from tests.resilience.support import EVERY_WAY, Conference, Way, outage

from embedded.signing_in import sign_in
from testkit.waiting import wait_for

PART = "development-provider"
PAGE = {"Accept": "text/html"}


@pytest.mark.parametrize("way", EVERY_WAY)
def test_provider_unavailable_stops_nobody_who_is_signed_in(
    conference: Conference, way: Way
) -> None:
    platform = conference.platform
    # c4p-service has tokens of its own from its first deliveries on: one for mails, one for others.
    earlier = conference.submit()
    conference.decide(earlier)
    conference.wait_until_settled()
    with outage(platform, way, PART):
        proposal = conference.submit()
        conference.decide(proposal)
        conference.wait_until_told(proposal, "session")
        assert conference.client.get("/back-office").status_code == 200
        with httpx2.Client(base_url=platform.urls.site, timeout=15) as visitor:
            page = visitor.get("/sign-in", headers=PAGE)
            assert page.status_code == 503
            assert "Signing in is not possible just now" in page.text
            assert visitor.get("/agenda").status_code == 200
    conference.assert_nothing_lost_nothing_doubled()


def test_deliveries_wait_for_a_token(conference: Conference) -> None:
    platform = conference.platform
    with outage(platform, "stopped", PART):
        # A new c4p-service has no token, and no keys to verify one.
        platform.stop("c4p-service")
        platform.start("c4p-service")
        proposal = conference.submit()
        answer = conference.client.get("/api/proposals")
        assert answer.status_code == 503
        assert "identity provider" in answer.json()["detail"]
    conference.wait_until_told(proposal, "received")
    conference.decide(proposal)
    conference.assert_nothing_lost_nothing_doubled()


def test_frontend_that_never_saw_the_provider_says_so_and_recovers(conference: Conference) -> None:
    platform = conference.platform
    with (
        outage(platform, "stopped", PART),
        httpx2.Client(base_url=platform.urls.site, timeout=15) as visitor,
    ):
        platform.stop("frontend")
        platform.start("frontend")
        page = visitor.get("/sign-in", headers=PAGE)
        assert page.status_code == 503
        assert "Signing in is not possible just now" in page.text
        assert visitor.get("/agenda").status_code == 200
        # Who is signed in is known by what lies in Valkey.
        assert conference.client.get("/back-office").status_code == 200
    with httpx2.Client(base_url=platform.urls.site, timeout=15) as visitor:
        wait_for(lambda: visitor.get("/sign-in").status_code == 303, "the provider to be asked")
        sign_in(visitor, "Otto", platform.passcode)
