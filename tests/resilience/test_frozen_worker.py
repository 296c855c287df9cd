"""A c4p-service that stands still for longer than its lease, while a second one goes on."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest
from tests.resilience.conftest import Ways
from tests.resilience.haste import HASTY
from tests.resilience.proxy import LATE, late_after
from tests.resilience.support import PATIENCE_SECONDS, Conference, Proposal, second_c4p

from embedded.signing_in import bearer_of_person, bearer_of_program
from testkit.process import Process
from testkit.waiting import wait_for


@pytest.fixture
def second(disturbed: Conference, tmp_path: Path) -> Iterator[Process]:
    """Another c4p-service on the same database, whose ways nobody disturbs; it has yet to start."""
    process = Process(second_c4p(disturbed.platform, HASTY["c4p-service"]), tmp_path)
    yield process
    process.stop()
    disturbed.platform.thaw("c4p-service")


def wait_until_delivered(
    disturbed: Conference, service: Process, proposal: Proposal, *kinds: str
) -> None:
    headers = bearer_of_program(disturbed.platform, "consistency-job")

    def is_delivered() -> bool:
        params = {"proposal_id": proposal.id}
        items = httpx2.get(f"{service.url}/deliveries", params=params, headers=headers).json()[
            "items"
        ]
        told = [each["state"] for each in items if each["kind"] in kinds]
        return len(told) >= len(kinds) and set(told) == {"delivered"}

    wait_for(is_delivered, f"{kinds} by {service.program.name}", PATIENCE_SECONDS)


def test_late_calls_double_and_resurrect_nothing(
    disturbed: Conference, ways: Ways, second: Process
) -> None:
    kept, withdrawn = disturbed.submit(), disturbed.submit()
    disturbed.wait_until_settled()
    agenda, email = ways.c4p_agenda, ways.c4p_email
    with agenda.suffering(LATE), email.suffering(LATE):
        for proposal in (kept, withdrawn):
            disturbed.decide(proposal)
        # These calls are under way, and arrive in the end whatever becomes of who made them.
        wait_for(lambda: min(agenda.held, email.held) >= 2, "four calls", PATIENCE_SECONDS)
        disturbed.platform.freeze("c4p-service")
        second.start()
        for proposal in (kept, withdrawn):
            wait_until_delivered(disturbed, second, proposal, "session", "accepted")
        olga = bearer_of_person(disturbed.platform, "organizer")
        url = f"{second.url}/proposals/{withdrawn.id}/withdrawal"
        answer = httpx2.post(url, headers=olga)
        assert answer.status_code == 200
        disturbed.changed(withdrawn, "withdrawn")
        wait_until_delivered(disturbed, second, withdrawn, "session", "withdrawn")
    wait_for(lambda: min(agenda.answered, email.answered) >= 2, "the late answers")
    disturbed.platform.thaw("c4p-service")
    disturbed.platform.wait_until_ready("c4p-service")
    disturbed.assert_nothing_lost_nothing_doubled()


def test_lock_of_the_frozen_does_not_last(
    disturbed: Conference, ways: Ways, second: Process
) -> None:
    proposal = disturbed.submit()
    disturbed.wait_until_settled()
    path, accepted = f"/proposals/{proposal.id}/decision", {"decision": "accepted"}
    with ExitStack() as stack:
        first = stack.enter_context(ThreadPoolExecutor(1))
        # It reads the proposal and locks it, and gets no further.
        way = ways.c4p_postgres
        stack.enter_context(way.suffering(late_after(proposal.draft["title"].encode())))
        waiting = first.submit(lambda: disturbed.client.post(f"/api{path}", json=accepted))
        wait_for(lambda: way.held, "the lock", PATIENCE_SECONDS)
        disturbed.platform.freeze("c4p-service")
        second.start()
        olga = bearer_of_person(disturbed.platform, "organizer")
        with httpx2.Client(base_url=second.url, timeout=15, headers=olga) as client:
            decided = disturbed.persist(lambda: client.post(path, json=accepted))
        assert decided.status_code == 200
        assert waiting.result().status_code == 503
    disturbed.changed(proposal, "accepted")
    disturbed.platform.thaw("c4p-service")
    disturbed.platform.wait_until_ready("c4p-service")
    disturbed.assert_nothing_lost_nothing_doubled()
