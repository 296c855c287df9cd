"""Any process killed at any instant: nothing is lost, nothing is doubled."""

import time
from random import Random

import pytest
from tests.resilience.conftest import Ways
from tests.resilience.crowd import Crowd
from tests.resilience.proxy import hang_after
from tests.resilience.support import PATIENCE_SECONDS, Conference

from testkit.waiting import wait_for

LONGEST_JITTER_SECONDS = 0.05
SEED = 2027


@pytest.fixture
def instants() -> Random:
    """The instants of the kills, alike in every run; `make torture` is for chance."""
    return Random(SEED)


def kill_at_random(
    crowd: Crowd, conference: Conference, parts: list[str], instants: Random
) -> None:
    """Kill each of `parts` at an answer of its own, and some milliseconds later."""
    answers = sorted(instants.sample(range(2, 2 * crowd.size - 8), len(parts)))
    for part, number in zip(parts, answers, strict=True):
        crowd.wait_until_answered(number)
        # No condition names this instant: it may be any.
        time.sleep(instants.uniform(0, LONGEST_JITTER_SECONDS))
        conference.platform.kill(part)
        conference.platform.wait_until_ready(part)


def test_c4p_service_killed_again_and_again(conference: Conference, instants: Random) -> None:
    with Crowd(conference, size=40) as crowd:
        kill_at_random(crowd, conference, ["c4p-service"] * 4, instants)
    conference.assert_nothing_lost_nothing_doubled()


def test_everybody_else_killed_once(conference: Conference, instants: Random) -> None:
    parts = ["agenda-service", "email-service", "frontend", "valkey", "postgres"]
    instants.shuffle(parts)
    # A mail may have gone out and nobody was left to write that down.
    conference.may_mail_twice = True
    with Crowd(conference, size=24) as crowd:
        kill_at_random(crowd, conference, parts, instants)
    conference.assert_nothing_lost_nothing_doubled()


def test_killed_between_the_relays_yes_and_the_ledgers(disturbed: Conference, ways: Ways) -> None:
    """The limit of SMTP: the mail comes twice, and mail programs can tell by its Message-ID."""
    proposal = disturbed.submit()
    disturbed.wait_until_settled()
    disturbed.may_mail_twice = True
    # 354 asks for the mail; the answer after it is the relay's yes.
    with ways.email_relay.suffering(hang_after(b"354")):
        disturbed.decide(proposal, "rejected")
        wait_for(lambda: len(disturbed.mails_for(proposal)) == 2, "the mail", PATIENCE_SECONDS)
        disturbed.platform.kill("email-service")
    disturbed.wait_until_settled()
    wait_for(lambda: len(disturbed.mails_for(proposal)) == 3, "the mail again", PATIENCE_SECONDS)
    disturbed.assert_nothing_lost_nothing_doubled()
