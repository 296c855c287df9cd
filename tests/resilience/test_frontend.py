"""The frontend is down: it comes back whoever else is unavailable, with the agenda from disk."""

import httpx2
from tests.resilience.support import PATIENCE_SECONDS, Conference, outage

from embedded.signing_in import bearer_of_person
from testkit.waiting import wait_for

NEIGHBOURS = ("agenda-service", "c4p-service", "email-service")


def test_killed_frontend_returns_alone_with_the_agenda_from_disk(conference: Conference) -> None:
    keynote = conference.submit()
    conference.decide(keynote)
    conference.wait_until_public(keynote.id)
    platform = conference.platform
    with outage(platform, "stopped", *NEIGHBOURS):
        platform.kill("frontend")
        # Its readiness depends on nobody.
        platform.wait_until_ready("frontend")
        agenda = conference.public_agenda()
        assert (agenda.ids, agenda.is_saved) == (frozenset({keynote.id}), True)
        assert keynote.draft["title"] in conference.client.get("/agenda").text
    conference.assert_nothing_lost_nothing_doubled()


def test_frozen_frontend_keeps_nothing_else_from_going_on(conference: Conference) -> None:
    proposal = conference.submit()
    with outage(conference.platform, "frozen", "frontend"):
        url = f"{conference.platform.urls.c4p}/proposals/{proposal.id}/decision"
        olga = bearer_of_person(conference.platform, "organizer")
        decided = httpx2.post(url, json={"decision": "accepted"}, headers=olga)
        assert decided.status_code == 200
        conference.changed(proposal, "accepted")
        session = f"{conference.platform.urls.agenda}/sessions/{proposal.id}"
        wait_for(lambda: httpx2.get(session).is_success, "the session", PATIENCE_SECONDS)
        wait_for(lambda: len(conference.mails_for(proposal)) == 2, "the mails", PATIENCE_SECONDS)
    conference.assert_nothing_lost_nothing_doubled()
