"""A decision made while everything behind it is down reaches everybody when all is back."""

from tests.resilience.support import Conference, outage

BEHIND = ("agenda-service", "email-service", "valkey", "mail")


def test_decisions_converge_when_all_is_back(conference: Conference) -> None:
    accepted, rejected, withdrawn, changed = (conference.submit() for _ in range(4))
    conference.wait_until_kept()
    with outage(conference.platform, "stopped", *BEHIND):
        conference.decide(accepted)
        conference.decide(rejected, "rejected")
        conference.decide(withdrawn)
        conference.withdraw(withdrawn)
        conference.decide(changed, "rejected")
        conference.decide(changed)
        conference.wait_until_tried(accepted, "session")
        conference.wait_until_tried(changed, "rejected")
    conference.assert_nothing_lost_nothing_doubled()
