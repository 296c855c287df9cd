"""PostgreSQL is unavailable: a problem, a form that keeps its text, no other page harmed."""

import html

import pytest
from tests.resilience.crowd import Crowd
from tests.resilience.support import EVERY_WAY, Conference, Way, new_proposal, outage

from testkit.problems import problem


@pytest.mark.parametrize("way", EVERY_WAY)
def test_submission_is_refused_and_its_text_kept(conference: Conference, way: Way) -> None:
    platform = conference.platform
    accepted = conference.submit()
    conference.decide(accepted)
    conference.wait_until_settled()
    service = platform.pid("c4p-service")
    typed = new_proposal()
    form = {**typed.draft, "key": typed.key}
    with outage(platform, way, "postgres"):
        answer = conference.try_to_submit(typed)
        assert problem(answer) == (503, "unavailable")
        assert answer.headers["retry-after"]
        page = conference.client.post("/call-for-proposals", data=form)
        assert page.status_code == 503
        kept = html.unescape(page.text)
        assert all(text in kept for text in (*typed.draft.values(), typed.key))
        conference.wait_until_public(accepted.id)
        for path in ("/", "/agenda", f"/agenda/{accepted.id}", "/about", "/call-for-proposals"):
            assert conference.client.get(path).status_code == 200, path
    # The very form that was sent in vain is sent again.
    conference.persist(lambda: conference.client.post("/call-for-proposals", data=form))
    conference.submit(typed)
    conference.decide(typed)
    assert platform.pid("c4p-service") == service
    conference.assert_nothing_lost_nothing_doubled()


def test_nothing_acknowledged_is_lost_when_killed_under_load(conference: Conference) -> None:
    with Crowd(conference, size=16) as crowd:
        for number in (6, 18):
            crowd.wait_until_answered(number)
            conference.platform.kill("postgres")
            conference.platform.wait_until_ready("postgres")
    conference.assert_nothing_lost_nothing_doubled()
