"""Asks the platform, by its public URL, and the relay what they have when all is over."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.resilience.support import Conference
from tests.torture.relay import Arrival, arrivals

PAGE = 200


@dataclass(frozen=True, slots=True)
class Stored:
    """A proposal as the organizers see it; `draft` as in `Talk`."""

    id: str
    draft: Mapping[str, str]
    state: str


@dataclass(frozen=True, slots=True)
class Session:
    """A session on the agenda."""

    proposal_id: str
    slot: str
    title: str
    speaker: str


@dataclass(frozen=True, slots=True)
class Sent:
    """A mail in email-service's ledger; `state` is "sent", or "sending" where nobody finished."""

    key: str
    template: str
    state: str


@dataclass(frozen=True, slots=True)
class Found:
    """All of it."""

    proposals: list[Stored]
    sessions: list[Session]
    ledger: Mapping[str, list[Sent]]
    """By the id of the proposal that the mails are about."""
    arrivals: list[Arrival]
    undelivered: int
    """Deliveries that still wait or were given up."""
    findings: int
    """What the consistency job of the platform found, and perhaps repaired, during the run."""
    job_exit_code: int
    """Of a last run of it that has patience with nothing."""
    job_says: str


def look(conference: Conference, spool: Path) -> Found:
    """Ask for everything; `conference` is an organizer's."""
    proposals = list(_proposals(conference))
    exit_code, log = conference.check()
    # What the site keeps in memory follows; where it doesn't, the verdict says what is wrong.
    with suppress(AssertionError):
        conference.wait_until_public(*(each.id for each in proposals if each.state == "accepted"))
    return Found(
        proposals=proposals,
        sessions=[_session(each) for each in _get(conference, "/sessions")["items"]],
        ledger={each.id: _ledger(conference, each.id) for each in proposals},
        arrivals=arrivals(spool),
        undelivered=sum(
            len(_get(conference, "/deliveries", state=state)["items"])
            for state in ("waiting", "failed")
        ),
        findings=_findings(conference.platform.home.logs / "consistency-job.log"),
        job_exit_code=exit_code,
        job_says=json.loads(log.splitlines()[-1])["event"],
    )


def _proposals(conference: Conference) -> Iterator[Stored]:
    params: dict[str, str | int] = {"limit": PAGE}
    while True:
        page = _get(conference, "/proposals", **params)
        for each in page["items"]:
            draft = ("title", "abstract", "speaker_name", "speaker_email")
            yield Stored(each["id"], {name: each[name] for name in draft}, each["state"])
        if page["next_cursor"] is None:
            return
        params["cursor"] = page["next_cursor"]


def _session(item: Mapping[str, Any]) -> Session:
    return Session(item["proposal_id"], item["slot"]["id"], item["title"], item["speaker"])


def _ledger(conference: Conference, proposal_id: str) -> list[Sent]:
    items = _get(conference, f"/proposals/{proposal_id}/emails")["items"]
    return [Sent(each["key"], each["template"], each["state"]) for each in items]


def _get(conference: Conference, path: str, **params: str | int) -> Any:
    answer = conference.persist(lambda: conference.client.get(f"/api{path}", params=params))
    return answer.raise_for_status().json()


def _findings(log: Path) -> int:
    # Not parsed: a line may have ended with its process.
    return log.read_text().count('"event":"finding"')
