"""Valkey is down, or has lost all its data: the agenda is saved or rebuilt, mails are sent once."""

import shutil
from collections.abc import Callable

import httpx2
import pytest
from tests.resilience.support import EVERY_WAY, Conference, Way, outage

from embedded.services import SCOPES
from embedded.signing_in import bearer_of_program


@pytest.mark.parametrize("way", EVERY_WAY)
def test_agenda_is_saved_and_everything_else_waits(conference: Conference, way: Way) -> None:
    keynote = conference.submit()
    conference.decide(keynote)
    conference.wait_until_settled()
    conference.wait_until_public(keynote.id)
    with outage(conference.platform, way, "valkey"):
        conference.wait_until_saved()
        late = conference.submit()
        conference.decide(late)
        conference.wait_until_tried(late, "session")
        conference.wait_until_tried(late, "received")
        assert conference.public_agenda().ids == {keynote.id}
        if way == "stopped":
            # What can't be asked is not called missing.
            assert conference.check()[0] == 2
    conference.assert_nothing_lost_nothing_doubled()


def test_ledger_outlives_a_kill(conference: Conference) -> None:
    told = conference.submit()
    conference.wait_until_told(told, "received")
    mail = {
        "template": "proposal-withdrawn",
        "to": told.draft["speaker_email"],
        "reference": told.id,
        "data": {"speaker_name": "Grace", "title": "Gone", "link": "http://site.example/"},
    }
    told.mails.append("withdrawn")

    sender = bearer_of_program(conference.platform, "c4p-service", SCOPES[1])
    headers = {**sender, "Idempotency-Key": "once"}

    def send() -> httpx2.Response:
        url = f"{conference.platform.urls.email}/emails"
        return conference.persist(lambda: httpx2.post(url, json=mail, headers=headers))

    first = send()
    conference.platform.kill("valkey")
    conference.platform.wait_until_ready("valkey")
    assert (first.status_code, send().json()) == (202, first.json())
    conference.assert_nothing_lost_nothing_doubled()


def flush(conference: Conference) -> None:
    with conference.valkey() as valkey:
        valkey.flushall()


def delete_files(conference: Conference) -> None:
    platform = conference.platform
    with outage(platform, "killed", "valkey"):
        shutil.rmtree(platform.home.data / "valkey")
        (platform.home.data / "valkey").mkdir()


@pytest.mark.parametrize("lose", [flush, delete_files])
def test_lost_data_are_rebuilt_and_nobody_is_mailed_twice(
    conference: Conference, lose: Callable[[Conference], None]
) -> None:
    decisions = ("accepted", "accepted", "accepted", "rejected")
    proposals = [conference.submit() for _ in decisions]
    for proposal, decision in zip(proposals, decisions, strict=True):
        conference.decide(proposal, decision)
    conference.submit()
    conference.withdraw(proposals[0])
    conference.wait_until_settled()
    lose(conference)
    conference.wait_until_public()
    assert conference.check()[0] == 3
    exit_code, log = conference.check("--repair")
    assert exit_code == 0, log
    conference.assert_nothing_lost_nothing_doubled()
