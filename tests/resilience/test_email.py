"""email-service or the relay is unavailable: decisions go on, mails wait and are sent once."""

import pytest
from tests.resilience.support import EVERY_WAY, PATIENCE_SECONDS, Conference, Way, outage

from testkit.waiting import wait_for


@pytest.mark.parametrize("way", EVERY_WAY)
@pytest.mark.parametrize("part", ["email-service", "mail"])
def test_mails_wait_and_decisions_go_on(conference: Conference, part: str, way: Way) -> None:
    earlier = conference.submit()
    conference.wait_until_kept()
    with outage(conference.platform, way, part):
        conference.decide(earlier)
        late = conference.submit()
        conference.decide(late, "rejected")
        conference.wait_until_told(earlier, "session")
        conference.wait_until_tried(earlier, "accepted")
        conference.wait_until_tried(late, "received")
        # The order is kept: nobody reads of a rejection before the confirmation.
        assert conference.delivery(late, "rejected")["attempts"] == 0

        def says_that_it_waits() -> bool:
            page = conference.client.get(f"/back-office/proposals/{earlier.id}")
            assert page.status_code == 200
            # On a busy machine the page goes without its deliveries, which come too late for it.
            return "waiting" in page.text

        wait_for(says_that_it_waits, "the page to say that the mail waits", PATIENCE_SECONDS)
    conference.assert_nothing_lost_nothing_doubled()
