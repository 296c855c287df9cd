"""A neighbour that answers late, byte by byte, by half, with nonsense, or is somebody else."""

import statistics
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from tests.resilience.conftest import Ways
from tests.resilience.proxy import CUT, DRIP, HANG, LATE, Fault, Proxy, impostor, instead
from tests.resilience.support import Conference, new_proposal

HTML = b"content-type: text/html\r\ncontent-length: 14\r\n\r\n<h1>Hello</h1>"
PORTAL = b"HTTP/1.1 200 OK\r\n" + HTML
"""Nonsense to those who speak HTTP, and all the more to others."""
NOWHERE = b"HTTP/1.1 404 Not Found\r\n" + HTML
"""What an ingress says while nobody stands behind it."""
NONSENSE = instead(PORTAL)
SLOW = (HANG, LATE, DRIP)
LYING = (CUT, NONSENSE, impostor(PORTAL), impostor(NOWHERE))


@pytest.mark.parametrize("faults", [SLOW, LYING], ids=["slow", "lying"])
def test_receivers_are_told_once(
    disturbed: Conference, ways: Ways, faults: tuple[Fault, ...]
) -> None:
    told = [disturbed.submit()]
    disturbed.decide(told[0])
    for fault in faults:
        print(fault)
        disturbed.wait_until_public(*(each.id for each in told))
        talk = disturbed.submit()
        disturbed.wait_until_settled()
        with ExitStack() as stack:
            for way in (ways.site_agenda, ways.c4p_agenda, ways.c4p_email):
                stack.enter_context(way.suffering(fault))
            disturbed.decide(talk)
            disturbed.wait_until_saved()
            disturbed.wait_until_tried(talk, "session")
            disturbed.wait_until_tried(talk, "accepted")
            answers = [disturbed.client.get("/agenda") for _ in range(5)]
            assert all(each.draft["title"] in answers[-1].text for each in told)
            assert statistics.median(each.elapsed.total_seconds() for each in answers) < 0.2
        told.append(talk)
    disturbed.assert_nothing_lost_nothing_doubled()


@pytest.mark.parametrize(
    "way",
    [lambda ways: ways.site_c4p, lambda ways: ways.c4p_postgres],
    ids=["c4p-service", "postgres"],
)
def test_what_could_not_be_confirmed_is_repeated_and_done_once(
    disturbed: Conference, ways: Ways, way: Callable[[Ways], Proxy]
) -> None:
    for fault in (HANG, LATE, CUT, NONSENSE):
        print(fault)
        decided = disturbed.submit()
        typed = new_proposal()
        form = {**typed.draft, "key": typed.key}
        path, decision = f"/api/proposals/{decided.id}/decision", {"decision": "accepted"}
        with way(ways).suffering(fault), ThreadPoolExecutor(1) as executor:
            answer = executor.submit(disturbed.client.post, path, json=decision)
            page = disturbed.client.post("/call-for-proposals", data=form)
            assert (page.status_code, answer.result().status_code) == (503, 503)
            assert typed.draft["title"] in page.text
            assert disturbed.client.get("/agenda").status_code == 200
        disturbed.submit(typed)
        disturbed.decide(decided)
    disturbed.assert_nothing_lost_nothing_doubled()


def test_mails_wait_for_a_strange_relay(disturbed: Conference, ways: Ways) -> None:
    for fault in (DRIP, CUT, NONSENSE):
        print(fault)
        with ways.email_relay.suffering(fault):
            disturbed.wait_until_tried(disturbed.submit(), "received")
        # The next fault must not meet this mail: a relay whose answer is lost has the mail twice.
        disturbed.wait_until_settled()
    disturbed.assert_nothing_lost_nothing_doubled()


def test_strange_store_is_as_good_as_none(disturbed: Conference, ways: Ways) -> None:
    told = [disturbed.submit()]
    disturbed.decide(told[0])
    for fault in (DRIP, NONSENSE):
        print(fault)
        disturbed.wait_until_public(*(each.id for each in told))
        talk = disturbed.submit()
        disturbed.wait_until_settled()
        with ways.agenda_valkey.suffering(fault), ways.email_valkey.suffering(fault):
            disturbed.decide(talk)
            disturbed.wait_until_saved()
            disturbed.wait_until_tried(talk, "session")
            disturbed.wait_until_tried(talk, "accepted")
        told.append(talk)
    disturbed.assert_nothing_lost_nothing_doubled()
