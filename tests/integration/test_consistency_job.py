"""The job as a process, beside a whole platform of real services."""

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import orjson
import psycopg
import pytest
import redis
from tests.patience import PATIENT

from embedded import services
from embedded.platform import Platform
from embedded.signing_in import bearer_of_person, bearer_of_program
from servicekit.commands import TERMINATED
from testkit.process import begun
from testkit.waiting import wait_for

DRAFT = {
    "title": "Outboxes",
    "abstract": "Why calls belong in tables.",
    "speaker_name": "Ada Lovelace",
    "speaker_email": "ada@example.org",
}
NOBODYS_ID = "01975c2e-8f6a-7000-8000-000000000001"
FAST = {"OUTBOX_FIRST_WAIT_SECONDS": "0.1", "OUTBOX_LONGEST_WAIT_SECONDS": "0.2"}
SETTINGS = {**PATIENT, "c4p-service": {**PATIENT["c4p-service"], **FAST}}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory, few_authorities: None) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("platform")
    with Platform(folder, env=SETTINGS) as running:
        running.stop("consistency-job")
        yield running


@pytest.fixture(autouse=True)
def _clean(platform: Platform) -> Iterator[None]:
    yield
    with psycopg.connect(platform.url("postgres"), autocommit=True) as connection:
        connection.execute("TRUNCATE proposals, consistency_reports CASCADE")
    forget_the_agenda(platform)


def forget_the_agenda(platform: Platform) -> None:
    """Lose everything that Valkey has."""
    with redis.Redis.from_url(platform.url("valkey")) as client:
        client.flushall()


@dataclass
class Conference:
    """The steps of speakers and organizers, each waited for until it has reached everybody."""

    c4p: httpx2.Client
    agenda: httpx2.Client

    def accepted(self, **fields: str) -> dict[str, Any]:
        proposal: dict[str, Any] = self.c4p.post("/proposals", json={**DRAFT, **fields}).json()
        path = f"/proposals/{proposal['id']}"
        self.c4p.post(f"{path}/decision", json={"decision": "accepted", "message": None})
        wait_for(lambda: not self.deliveries(proposal["id"], "waiting"), "all deliveries")
        changed: dict[str, Any] = self.c4p.get(path).json()
        return changed

    def deliveries(self, proposal_id: str, state: str) -> list[dict[str, Any]]:
        params = {"proposal_id": proposal_id, "state": state}
        items: list[dict[str, Any]] = self.c4p.get("/deliveries", params=params).json()["items"]
        return items

    def sessions(self) -> dict[str, str]:
        """The titles on the agenda by proposal."""
        items = self.agenda.get("/sessions").json()["items"]
        return {item["proposal_id"]: item["title"] for item in items}

    def last_report(self) -> dict[str, Any]:
        report: dict[str, Any] = self.c4p.get("/consistency-reports").json()["items"][0]
        return report


@pytest.fixture
def conference(platform: Platform) -> Iterator[Conference]:
    urls = platform.urls
    organizer = bearer_of_person(platform, "organizer")
    writer = bearer_of_program(platform, "c4p-service")
    with (
        httpx2.Client(base_url=urls.c4p, headers=organizer, timeout=30) as c4p,
        httpx2.Client(base_url=urls.agenda, headers=writer, timeout=30) as agenda,
    ):
        yield Conference(c4p, agenda)


@dataclass(frozen=True)
class Run:
    """The end of a run of the job; `said` is its last line."""

    code: int
    said: str


@pytest.fixture
def job(platform: Platform, tmp_path: Path) -> Callable[..., Run]:
    """Run the job with these arguments."""
    urls = {name: getattr(platform.urls, name) for name in ("agenda", "c4p", "email")}
    patience = {"SETTLE_SECONDS": "0.001", "REPAIR_SECONDS": "60"}
    urls["public"] = platform.urls.site
    identities = platform.identities
    program = services.consistency(60, urls=urls, identities=identities, env=patience)
    numbers = count(1)

    def run(*arguments: str) -> Run:
        command = [*program.command[:3], *arguments]
        once = replace(program, name=f"run-{next(numbers)}", command=command)
        with begun(once, tmp_path) as process:
            code = process.end()
        said = [orjson.loads(line) for line in process.log_text().splitlines()]
        return Run(code, said[-1]["event"])

    return run


@pytest.fixture
def mails(platform: Platform) -> Callable[[str], int]:
    """Return how many mails with these words in the subject lie in the sink."""

    def count(words: str) -> int:
        found = httpx2.get(f"{platform.urls.mail}/api/messages/").json()["data"]
        return sum(words in mail["subject"] for mail in found)

    return count


Job = Callable[..., Run]


def test_job_finds_nothing_on_a_platform_that_works(conference: Conference, job: Job) -> None:
    conference.accepted()
    assert job() == Run(0, "Nothing found: everything fits.")
    report = conference.last_report()
    assert (report["complete"], report["findings"]) == (True, [])


def test_job_rebuilds_an_agenda_that_lost_everything(
    conference: Conference, job: Job, platform: Platform, mails: Callable[[str], int]
) -> None:
    titles = {
        conference.accepted(title=f"Talk {number}")["id"]: f"Talk {number}" for number in (1, 2)
    }
    told = 2 * len(titles)
    # The sink shows a mail a moment after it has taken it.
    wait_for(lambda: mails("Talk") == told, "the mails")
    forget_the_agenda(platform)
    assert job("--repair") == Run(0, "All is repaired: 2 found.")
    assert conference.sessions() == titles
    assert [each["repaired"] for each in conference.last_report()["findings"]] == [True, True]
    assert mails("Talk") == told, "nobody may be mailed again"


def test_job_tells_and_leaves_alone_without_repair(
    conference: Conference, job: Job, platform: Platform
) -> None:
    proposal = conference.accepted()
    forget_the_agenda(platform)
    assert job() == Run(3, "1 of 1 findings remain.")
    assert conference.sessions() == {}
    (finding,) = conference.last_report()["findings"]
    assert (finding["subject"], finding["repaired"]) == (proposal["id"], False)
    assert finding["check"] == "accepted but not on the agenda"


def test_job_gives_a_session_its_proposals_words_again(conference: Conference, job: Job) -> None:
    proposal = conference.accepted()
    wrong = {"title": "Wrong", "abstract": "x", "speaker": "x", "version": proposal["version"]}
    conference.agenda.put(f"/sessions/{proposal['id']}", json=wrong)
    assert job("--repair").code == 0
    assert conference.sessions() == {proposal["id"]: proposal["title"]}


def test_job_removes_a_session_without_a_proposal(conference: Conference, job: Job) -> None:
    proposal = conference.accepted()
    orphan = {"title": "Orphan", "abstract": "x", "speaker": "x", "version": 1}
    assert conference.agenda.put(f"/sessions/{NOBODYS_ID}", json=orphan).status_code == 201
    assert job("--repair").code == 0
    assert list(conference.sessions()) == [proposal["id"]]


def test_job_removes_the_session_of_a_proposal_that_was_rejected(
    conference: Conference, job: Job
) -> None:
    conference.accepted()
    rejected = conference.c4p.post("/proposals", json=DRAFT).json()
    path = f"/proposals/{rejected['id']}/decision"
    conference.c4p.post(path, json={"decision": "rejected", "message": None})
    wait_for(lambda: not conference.deliveries(rejected["id"], "waiting"), "the mail")
    wrong = {"title": "Rejected", "abstract": "x", "speaker": "x", "version": 1}
    conference.agenda.put(f"/sessions/{rejected['id']}", json=wrong)
    assert job("--repair").code == 0
    assert rejected["id"] not in conference.sessions()


def test_job_sends_a_mail_again_that_was_given_up(
    conference: Conference, job: Job, platform: Platform
) -> None:
    proposal = conference.accepted()
    _spoil(platform, proposal["id"], "state = 'failed', last_error = '503 unavailable'")
    assert job("--repair").code == 0
    assert conference.deliveries(proposal["id"], "failed") == []


def test_job_leaves_a_mail_that_no_longer_holds(
    conference: Conference, job: Job, platform: Platform
) -> None:
    withdrawn, missing = conference.accepted(), conference.accepted()
    _spoil(platform, withdrawn["id"], "state = 'failed', last_error = '503 unavailable'")
    conference.c4p.post(f"/proposals/{withdrawn['id']}/withdrawal").raise_for_status()
    wait_for(lambda: not conference.deliveries(withdrawn["id"], "waiting"), "all deliveries")
    forget_the_agenda(platform)
    assert job("--repair") == Run(0, "All is repaired: 1 found.")
    assert list(conference.sessions()) == [missing["id"]]
    assert len(conference.deliveries(withdrawn["id"], "failed")) == 1


def test_job_leaves_a_refused_mail_to_a_person(
    conference: Conference, job: Job, platform: Platform
) -> None:
    proposal = conference.accepted()
    _spoil(platform, proposal["id"], "state = 'failed', last_error = '422 no such mailbox'")
    assert job("--repair").code == 3
    assert len(conference.deliveries(proposal["id"], "failed")) == 1


def test_job_mails_the_same_findings_once_a_day(
    conference: Conference, job: Job, platform: Platform, mails: Callable[[str], int]
) -> None:
    proposal = conference.accepted()
    forget_the_agenda(platform)
    wait_for(lambda: datetime.now(UTC).time() < time(23, 59), "a day long enough for both", 90)
    assert [job().code, job().code] == [3, 3]
    conference.accepted(title="The last mail")
    wait_for(lambda: mails("The last mail"), "what comes after the reports")
    assert _reports_of(platform, proposal["id"]) == 1


@pytest.mark.parametrize("name", ["agenda-service", "c4p-service"])
def test_job_says_so_when_it_can_not_check(platform: Platform, job: Job, name: str) -> None:
    with _without(platform, name):
        ended = job("--repair")
    assert ended.code == 2
    assert ended.said.startswith(f"Could not check: {name} is unavailable")


def test_job_under_way_ends_when_told(platform: Platform, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        urls = dict.fromkeys(("agenda", "c4p", "email", "public"), url)
        program = services.consistency(60, urls=urls, identities=platform.identities)
        with begun(program, tmp_path) as process, silent.accept()[0]:
            process.send(signal.SIGTERM)
            assert process.end() == TERMINATED


def test_job_keeps_a_report_that_it_could_not_check(
    platform: Platform, conference: Conference, job: Job
) -> None:
    with _without(platform, "agenda-service"):
        job()
    report = conference.last_report()
    assert (report["complete"], report["findings"]) == (False, [])


def test_job_finds_nothing_while_mails_only_wait(
    platform: Platform, conference: Conference, job: Job
) -> None:
    with _without(platform, "email-service"):
        proposal = conference.c4p.post("/proposals", json=DRAFT).json()
        path = f"/proposals/{proposal['id']}/decision"
        conference.c4p.post(path, json={"decision": "rejected", "message": None})
        assert job().code == 0
    wait_for(lambda: not conference.deliveries(proposal["id"], "waiting"), "the mails")


def test_job_repairs_the_agenda_while_nobody_knows_who_was_mailed(
    platform: Platform, conference: Conference, job: Job
) -> None:
    proposal = conference.accepted()
    forget_the_agenda(platform)
    waits = "state = 'waiting', created_at = now() - interval '1 hour', next_attempt_at = now()"
    with _without(platform, "email-service"):
        _spoil(platform, proposal["id"], waits)
        ended = job("--repair")
    assert ended.code == 2
    assert ended.said.startswith("Could not check who was mailed: email-service is unavailable")
    assert list(conference.sessions()) == [proposal["id"]]
    report = conference.last_report()
    assert not report["complete"]
    assert "decided but nobody mailed" not in {each["check"] for each in report["findings"]}
    wait_for(lambda: not conference.deliveries(proposal["id"], "waiting"), "the mail")


def _reports_of(platform: Platform, proposal_id: str) -> int:
    """Return how many mails to the organizers are about a proposal."""
    with httpx2.Client(base_url=f"{platform.urls.mail}/api/messages/", timeout=30) as sink:
        found = sink.get("").json()["data"]
        ids = [each["id"] for each in found if each["subject"].startswith("Consistency check")]
        return sum(proposal_id in sink.get(f"{each}.plain").text for each in ids)


@contextmanager
def _without(platform: Platform, name: str) -> Iterator[None]:
    platform.stop(name)
    try:
        yield
    finally:
        platform.start(name)


def _spoil(platform: Platform, proposal_id: str, change: str) -> None:
    with psycopg.connect(platform.url("postgres"), autocommit=True) as connection:
        connection.execute(
            f"UPDATE deliveries SET {change}, delivered_at = NULL"
            f" WHERE proposal_id = '{proposal_id}' AND kind = 'accepted'".encode()
        )


def test_job_says_so_when_it_gets_no_token(platform: Platform, job: Job) -> None:
    with _without(platform, "development-provider"):
        ended = job()
    assert ended.code == 2
    assert ended.said.startswith("Could not check: identity provider is unavailable")
