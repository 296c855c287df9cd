"""c4p-service keeps the pacts with its consumers, on a real PostgreSQL."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import psycopg
import pytest
from alembic import command

from c4p.migrate import configuration
from testkit.contract.files import consumer_of, pacts_with
from testkit.contract.provider import Handlers, verify
from testkit.fake import Answer, Call, FakeNeighbour, fake_neighbour
from testkit.issuer import Issuer
from testkit.process import Process, Program, running
from testkit.waiting import wait_for

PROVIDER = "c4p-service"
ROLES = {
    "frontend": ("organizer", "reviewer"),
    "consistency-job": ("auditor", "repairer", "mail-sender"),
}
"""The roles that each consumer has; the frontend's are those of its people."""
CLAIMS: Mapping[str, Mapping[str, Any]] = {
    "frontend": {"email": "ada@example.org", "email_verified": True},
    "consistency-job": {},
}
"""One of the frontend's people is a speaker too."""
DRAFT = {
    "title": "Outboxes",
    "abstract": "Why calls belong in tables.",
    "speaker_name": "Ada Lovelace",
    "speaker_email": "ada@example.org",
}
REPORT = {
    "id": "01975c2e-8f6a-7000-8000-00000000ffff",
    "checked_at": "2027-01-10T09:00:00Z",
    "complete": True,
    "findings": [
        {
            "check": "missing-session",
            "subject": "01975c2e-8f6a-7000-8000-000000000001",
            "detail": "It is accepted and not on the agenda.",
            "cure": "Send it again.",
            "repaired": False,
        }
    ],
}
# Faster than TRUNCATE where there is little.
FORGET = "; ".join(
    f"DELETE FROM {table}"
    for table in (
        "idempotency_keys",
        "deliveries",
        "reviews",
        "actions",
        "events",
        "proposals",
        "call_window",
        "consistency_reports",
    )
)
# Far more than the pages that consumers ask for, and too many for requests of their own.
MANY = """
    INSERT INTO proposals SELECT uuidv7(), 'Talk ' || number, 'About it.', 'Ada', 'ada@example.org',
        'submitted', 1, now(), now() FROM generate_series(1, 300) AS number
"""
MANY_DELIVERIES = """
    INSERT INTO deliveries (id, proposal_id, version, target, kind, state, data, generation,
        attempts, failures, created_at, requested_at, delivered_at)
    SELECT uuidv7(), id, 1, 'email', 'received', 'delivered', '{}', 1, 1, 0, now(), now(), now()
    FROM proposals
"""


@pytest.fixture(scope="module")
def neighbour() -> Iterator[FakeNeighbour]:
    """Whatever c4p-service calls: the agenda and the mails."""
    with fake_neighbour() as fake:
        yield fake


@pytest.fixture(scope="module")
def service(
    postgres_server: Process,
    neighbour: FakeNeighbour,
    folder: Path,
    make_c4p_service: Callable[..., Program],
) -> Iterator[Process]:
    command.upgrade(configuration(postgres_server.url), "head")
    program = make_c4p_service(
        postgres_server.url, agenda_url=neighbour.url, email_url=neighbour.url
    )
    with running(program, folder) as process:
        yield process


Agree = Callable[[Call], Answer]


class States:
    """The states of proposals that consumers name."""

    def __init__(
        self, client: httpx2.Client, postgres: Process, neighbour: FakeNeighbour, agree: Agree
    ) -> None:
        self._client = client
        self._agree = agree
        self._postgres = postgres
        self._neighbour = neighbour

    def reset(self) -> None:
        """No proposals, and all that the service needs is there."""
        if not self._postgres.program.is_ready():
            self._postgres.start()
        self._sql(FORGET)
        self._neighbour.calls.clear()
        self._neighbour.answer = self._agree

    def submitted(self, key: str | None = None, **fields: str) -> Mapping[str, str]:
        """A proposal, and the token of its speaker's link."""
        headers = {"Idempotency-Key": key} if key else {}
        answer = self._client.post("/proposals", json={**DRAFT, **fields}, headers=headers)
        proposal_id = answer.raise_for_status().json()["id"]
        return {"proposal_id": proposal_id, "token": self._token(proposal_id)}

    def _token(self, proposal_id: str) -> str:
        # Read from the mail, as speakers do.
        def mailed() -> list[str]:
            calls = list(self._neighbour.calls)
            mails = [each.body for each in calls if (each.method, each.path) == ("POST", "/emails")]
            return [each["data"]["link"] for each in mails if each["reference"] == proposal_id]

        link = wait_for(mailed, "the mail with the link")[0]
        return parse_qs(urlsplit(link).query)["token"][0]

    def decided(self, decision: str) -> Mapping[str, str]:
        """A proposal that is accepted or rejected."""
        values = self.submitted()
        words = {"decision": decision, "message": "See you in June."}
        path = f"/proposals/{values['proposal_id']}/decision"
        self._client.post(path, json=words).raise_for_status()
        return values

    def overtaken(self) -> Mapping[str, str]:
        """A mail that tells of a rejection, of a proposal that was accepted since."""
        values = self.decided("rejected")
        words = {"decision": "accepted", "message": None}
        path = f"/proposals/{values['proposal_id']}/decision"
        self._client.post(path, json=words).raise_for_status()
        params = {"proposal_id": values["proposal_id"]}
        items = self._client.get("/deliveries", params=params).json()["items"]
        (mail,) = (each for each in items if each["kind"] == "rejected")
        return {"delivery_id": mail["id"]}

    def edited(self) -> Mapping[str, str]:
        """A proposal of which there is a second version."""
        values = self.submitted()
        self._client.patch(
            f"/proposals/{values['proposal_id']}",
            json={"title": "Inboxes"},
            headers={"If-Match": '"1"'},
        ).raise_for_status()
        return values

    def reviewed(self) -> Mapping[str, str]:
        """A proposal that somebody has reviewed."""
        values = self.submitted()
        said = {"score": 4, "comment": "Clear and new."}
        path = f"/proposals/{values['proposal_id']}/review"
        self._client.put(path, json=said).raise_for_status()
        return values

    def withdrawn(self) -> str:
        """The id of a proposal that was withdrawn."""
        proposal_id = self.submitted()["proposal_id"]
        self._client.post(f"/proposals/{proposal_id}/withdrawal").raise_for_status()
        return proposal_id

    def two(self) -> Mapping[str, str]:
        """Two proposals, and the cursor between them."""
        self.submitted()
        self.submitted()
        page = self._client.get("/proposals", params={"limit": 1}).json()
        return {"cursor": page["next_cursor"]}

    def many(self) -> Mapping[str, str]:
        """More proposals and deliveries than a page has, and the cursors of the second pages."""
        self._sql(MANY)
        self._sql(MANY_DELIVERIES)
        pages = {
            f"{what}_cursor": self._client.get(f"/{what}", params={"limit": 200}).json()
            for what in ("proposals", "deliveries")
        }
        return {name: page["next_cursor"] for name, page in pages.items()}

    def mail(self, state: str, refusal: int | None = None) -> Mapping[str, str]:
        """A mail that email-service has taken or refused with this status, now in `state`."""
        if refusal is not None:
            problem = {"type": "urn:problem:any", "detail": "Not now."}
            self._neighbour.answer = lambda _: Answer(refusal, problem)
        proposal_id = self.submitted()["proposal_id"]

        def ended() -> Any:
            params = {"proposal_id": proposal_id, "state": state}
            (delivery,) = self._client.get("/deliveries", params=params).json()["items"] or [{}]
            is_told = delivery.get("delivered_at") or delivery.get("last_error")
            return delivery if is_told else None

        delivery = wait_for(ended, f"the mail to be {state}")
        return {"proposal_id": proposal_id, "delivery_id": delivery["id"]}

    def window(self, opens_at: str | None, closes_at: str | None) -> None:
        """Return when proposals are taken."""
        bounds = {"opens_at": opens_at, "closes_at": closes_at}
        self._client.put("/cfp", json=bounds).raise_for_status()

    def report(self) -> None:
        """A report of the consistency job."""
        self._client.put("/consistency-reports", json=REPORT).raise_for_status()

    def _sql(self, statement: str) -> None:
        with psycopg.connect(self._postgres.url, autocommit=True) as connection:
            connection.execute(statement.encode())

    def handlers(self) -> Handlers:
        """All of it by the names that the pacts have."""
        return {
            "a running service": lambda: None,
            "no proposals": lambda: None,
            "the store is unavailable": self._postgres.stop,
            "a submitted proposal": self.submitted,
            "a proposal that was submitted under a key": self.submitted,
            "a proposal that was edited": self.edited,
            "an accepted proposal": lambda: self.decided("accepted"),
            "a rejected proposal": lambda: self.decided("rejected"),
            "a submitted proposal and a withdrawn one": lambda: {
                **self.submitted(),
                "other_id": self.withdrawn(),
            },
            "a proposal with a review": self.reviewed,
            "two submitted proposals": self.two,
            "more proposals and deliveries than a page has": self.many,
            "a mail that has arrived": lambda: self.mail("delivered"),
            "a mail that waits": lambda: self.mail("waiting", 503),
            "a mail that was given up": lambda: self.mail("failed", 422),
            "a mail of a decision that no longer holds": self.overtaken,
            "an open call for proposals": lambda: None,
            "a call for proposals with no bounds": lambda: self.window(None, None),
            "a call for proposals with bounds": lambda: self.window(
                "2020-01-01T00:00:00Z", "2120-01-01T00:00:00Z"
            ),
            "a call for proposals that is over": lambda: self.window(None, "2020-01-01T00:00:00Z"),
            "a consistency report with a finding": self.report,
        }


@pytest.fixture
def states(
    service: Process,
    postgres_server: Process,
    neighbour: FakeNeighbour,
    agree: Agree,
    issuer: Issuer,
) -> Iterator[States]:
    headers = issuer.bearer("organizer", "reviewer", "auditor")
    with httpx2.Client(base_url=service.url, timeout=10, headers=headers) as client:
        yield States(client, postgres_server, neighbour, agree)


@pytest.mark.parametrize("pact", pacts_with(PROVIDER), ids=lambda path: path.stem)
def test_pact_is_kept(pact: Path, service: Process, states: States, issuer: Issuer) -> None:
    consumer = consumer_of(pact, PROVIDER)
    token = issuer.token(*ROLES[consumer], name=consumer, **CLAIMS[consumer])
    verify(pact, PROVIDER, service.url, states.handlers(), states.reset, token)
