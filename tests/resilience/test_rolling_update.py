"""A rolling update ends processes by SIGTERM: what a process has taken on, it answers."""

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

import httpx2
import pytest
from tests.resilience.conftest import Ways
from tests.resilience.proxy import Proxy, late_with
from tests.resilience.support import PATIENCE_SECONDS, Conference, Proposal, new_proposal

from embedded.services import SCOPES
from embedded.signing_in import bearer_of_program
from testkit.waiting import wait_for

AT_ONCE = 4
TITLE = b"Failing well"
Answered = tuple[Proposal, httpx2.Response]


def end_gently(conference: Conference, part: str) -> int:
    """Send SIGTERM as Kubernetes does; the process id that the part had."""
    pid = conference.platform.pid(part)
    os.kill(pid, signal.SIGTERM)
    return pid


def accepts(url: str) -> bool:
    parts = urlsplit(url)
    with socket.socket() as probe:
        return probe.connect_ex((str(parts.hostname), parts.port or 0)) == 0


def times_it_waited(conference: Conference, part: "Part") -> int:
    """Return how often a service has said that it ends as soon as its requests have."""
    log = conference.platform.home.logs / f"{part.name}.log"
    return log.read_text().count("Waiting for connections to close")


@dataclass(frozen=True, slots=True)
class Part:
    """A service, the way on which its requests can be held, and a request that goes there."""

    name: str
    way: Callable[[Ways], Proxy]
    text: bytes
    """What tells these requests from all others there."""
    ask: Callable[[Conference, Proposal], httpx2.Response]
    account_for: Callable[[Conference, Iterable[Answered]], None]
    """Everything that these answers promise must be there, and nothing else."""


def submit_to_site(conference: Conference, proposal: Proposal) -> httpx2.Response:
    return conference.try_to_submit(proposal)


def submit_to_service(conference: Conference, proposal: Proposal) -> httpx2.Response:
    url = f"{conference.platform.urls.c4p}/proposals"
    headers = {"Idempotency-Key": proposal.key}
    return httpx2.post(url, json=dict(proposal.draft), headers=headers, timeout=15)


def read_agenda(conference: Conference, _: Proposal) -> httpx2.Response:
    return httpx2.get(f"{conference.platform.urls.agenda}/sessions", timeout=15)


def acknowledge(conference: Conference, answered: Iterable[Answered]) -> None:
    for proposal, answer in answered:
        conference.acknowledged(proposal, answer)


def promise_nothing(_: Conference, __: Iterable[Answered]) -> None:
    """Promise nothing: whoever only reads changes nothing."""


def expect_mails(conference: Conference, answered: Iterable[Answered]) -> None:
    owed = sorted(proposal.draft["speaker_email"] for proposal, _ in answered)
    wait_for(lambda: len(conference.mails()) >= len(owed), "the mails", PATIENCE_SECONDS)
    assert sorted(mail.to for mail in conference.mails()) == owed


def send_mail(conference: Conference, proposal: Proposal) -> httpx2.Response:
    mail = {
        "template": "proposal-withdrawn",
        "to": proposal.draft["speaker_email"],
        "reference": proposal.key,
        "data": {"speaker_name": "Grace", "title": "Gone", "link": "http://site.example/"},
    }
    url = f"{conference.platform.urls.email}/emails"
    sender = bearer_of_program(conference.platform, "c4p-service", SCOPES[1])
    headers = {**sender, "Idempotency-Key": proposal.key}
    return httpx2.post(url, json=mail, headers=headers, timeout=15)


PARTS = (
    Part("frontend", lambda ways: ways.site_c4p, TITLE, submit_to_site, acknowledge),
    Part("c4p-service", lambda ways: ways.c4p_postgres, TITLE, submit_to_service, acknowledge),
    Part("agenda-service", lambda ways: ways.agenda_valkey, b"", read_agenda, promise_nothing),
    Part("email-service", lambda ways: ways.email_relay, b"", send_mail, expect_mails),
)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_requests_under_way_are_answered(disturbed: Conference, ways: Ways, part: Part) -> None:
    proposals = [new_proposal() for _ in range(AT_ONCE)]
    way = part.way(ways)
    platform = disturbed.platform
    with ThreadPoolExecutor(AT_ONCE) as executor:
        with way.suffering(late_with(part.text)):
            asked = [executor.submit(part.ask, disturbed, each) for each in proposals]
            wait_for(lambda: way.held == AT_ONCE, "requests", PATIENCE_SECONDS)
            waits = times_it_waited(disturbed, part)
            before = end_gently(disturbed, part.name)
            wait_for(lambda: times_it_waited(disturbed, part) > waits, "the end", PATIENCE_SECONDS)
            assert not accepts(platform.url(part.name))
        answers = [each.result() for each in asked]
    assert [each.is_success for each in answers] == [True] * AT_ONCE
    wait_for(lambda: platform.pid(part.name) not in {0, before}, "a new one", PATIENCE_SECONDS)
    platform.wait_until_ready(part.name)
    part.account_for(disturbed, zip(proposals, answers, strict=True))
    disturbed.assert_nothing_lost_nothing_doubled()


class Traffic:
    """As a context: steady requests, each made once, until the end of the context."""

    def __init__(self, conference: Conference, part: Part) -> None:
        self.answers: list[Answered] = []
        self.unanswered: list[Proposal] = []
        self._conference = conference
        self._part = part
        self._is_over = threading.Event()
        self._executor = ThreadPoolExecutor(AT_ONCE)
        self._futures: list[Future[None]] = []

    def __enter__(self) -> Self:
        self._futures = [self._executor.submit(self._ask) for _ in range(AT_ONCE)]
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._executor.shutdown()
        for future in self._futures:
            future.result()

    def wait_for_more(self) -> None:
        """Until some more requests were answered."""
        enough = len(self.answers) + 2 * AT_ONCE
        wait_for(lambda: len(self.answers) >= enough, "answers", PATIENCE_SECONDS)

    def _ask(self) -> None:
        while not self._is_over.is_set():
            proposal = new_proposal()
            try:
                answer = self._part.ask(self._conference, proposal)
            except httpx2.TransportError:
                self.unanswered.append(proposal)
            else:
                self.answers.append((proposal, answer))


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_request_is_answered_or_was_never_taken_on(conference: Conference, part: Part) -> None:
    """One replica alone: while it is replaced nobody listens, and what is refused left no trace."""
    platform = conference.platform
    with Traffic(conference, part) as traffic:
        traffic.wait_for_more()
        before = end_gently(conference, part.name)
        wait_for(lambda: platform.pid(part.name) not in {0, before}, "a new one", PATIENCE_SECONDS)
        platform.wait_until_ready(part.name)
        traffic.wait_for_more()
    failed = [answer.text for _, answer in traffic.answers if not answer.is_success]
    assert failed == []
    assert traffic.unanswered
    part.account_for(conference, traffic.answers)
    conference.assert_nothing_lost_nothing_doubled()
