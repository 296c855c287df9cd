"""Without agenda-service: the agenda from the cache, marked; decisions go on; nothing is lost."""

import statistics

import pytest
from tests.resilience.support import EVERY_WAY, Conference, Way, outage

NOTICE = "the live agenda is unavailable"


@pytest.mark.parametrize("way", EVERY_WAY)
def test_agenda_is_saved_and_decisions_go_on(conference: Conference, way: Way) -> None:
    keynote = conference.submit()
    conference.decide(keynote)
    conference.wait_until_public(keynote.id)
    with outage(conference.platform, way, "agenda-service"):
        conference.wait_until_saved()
        late = conference.submit()
        conference.decide(late)
        conference.wait_until_told(late, "accepted")
        conference.wait_until_tried(late, "session")
        assert conference.public_agenda().ids == {keynote.id}
        page = conference.client.get("/agenda")
        assert NOTICE in page.text
        assert keynote.draft["title"] in page.text
        seconds = [conference.client.get("/agenda").elapsed.total_seconds() for _ in range(20)]
        assert statistics.median(seconds) < 0.2
    conference.wait_until_public(keynote.id, late.id)
    assert NOTICE not in conference.client.get("/agenda").text
    conference.assert_nothing_lost_nothing_doubled()
