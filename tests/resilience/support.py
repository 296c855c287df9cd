"""The platform as its customers see it, with a memory of everything that it has acknowledged."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from email import message_from_string
from functools import partial
from itertools import count
from typing import Any, Literal, Self
from uuid import uuid4

import httpx2
import psycopg
from redis import Redis

from embedded import services
from embedded.platform import Platform
from embedded.signing_in import SignInError, sign_in
from testkit.ports import free_port
from testkit.process import Process, Program, begun
from testkit.waiting import wait_for

PATIENCE_SECONDS = 60
"""Far more than anything takes: other work may keep this machine busy."""
EVERY_WAY = ("stopped", "frozen", "killed")
Way = Literal["stopped", "frozen", "killed"]

_SUBJECTS = {
    "We have your proposal": "received",
    "Your proposal is accepted": "accepted",
    "About your proposal": "rejected",
    "Your proposal is withdrawn": "withdrawn",
}


@contextmanager
def outage(platform: Platform, way: Way, *parts: str) -> Iterator[None]:
    """Without some parts of the platform, which are back and ready afterwards."""
    for part in parts:
        if way == "frozen":
            platform.freeze(part)
            continue
        if way == "killed":
            platform.kill(part)
            # It is started again by itself, and shall stay down as long as the test looks.
            wait_for(partial(platform.pid, part), f"the restart of {part}")
        platform.stop(part)
    try:
        yield
    finally:
        for part in parts:
            platform.thaw(part)
        with ThreadPoolExecutor() as executor:
            list(executor.map(platform.start, parts))


def second_c4p(platform: Platform, env: Mapping[str, str]) -> Program:
    """Another c4p-service on the same database, which nobody asks: it works on the outbox."""
    urls = platform.urls
    return services.c4p(
        free_port(),
        free_port(),
        database_url=platform.url("postgres"),
        urls={"agenda": urls.agenda, "email": urls.email, "public": urls.site},
        link_key=platform.home.secrets().link_key,
        identities=platform.identities,
        env=env,
    )


@dataclass(slots=True)
class Proposal:
    """A submitted proposal, and what must have become of it."""

    draft: Mapping[str, str]
    key: str
    id: str = ""
    state: str = "submitted"
    mails: list[str] = field(default_factory=lambda: ["received"])
    """The kinds of mail that the speaker must have got."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail in the sink."""

    to: str
    kind: str
    message_id: str


@dataclass(frozen=True, slots=True)
class Agenda:
    """The answers that visitors see."""

    ids: frozenset[str]
    is_saved: bool
    """Whether it is marked as saved."""


def new_proposal() -> Proposal:
    """One that nobody has submitted yet, unlike any other."""
    key = uuid4().hex
    draft = {
        "title": f"Failing well, part {key[:8]}",
        "abstract": "What happens when it happens.\n\nAnd afterwards.",
        "speaker_name": "Grace Hopper",
        "speaker_email": f"grace.{key}@example.org",
    }
    return Proposal(draft, key)


class Conference:
    """A speaker and an organizer in one, at the public door."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.proposals: list[Proposal] = []
        self.may_mail_twice = False
        """Set where a mail may have come more than once, each time with the same Message-ID."""
        self.answered = 0
        """How many requests `persist` has brought to an answer."""
        self._numbers = count(1)
        self.client = httpx2.Client(
            base_url=platform.urls.site,
            timeout=15,
            trust_env=False,
            # A kept connection might have ended with the frontend's last life.
            limits=httpx2.Limits(max_keepalive_connections=0),
        )

    def __enter__(self) -> Self:
        wait_for(self._is_signed_in, "a sign-in", PATIENCE_SECONDS)
        return self

    def _is_signed_in(self) -> bool:
        with suppress(SignInError, httpx2.TransportError):
            sign_in(self.client, "Olga", self.platform.passcode)
            return True
        return False

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def forget_everything(self) -> None:
        """Empty the platform's stores, so that a test finds only what is its own."""
        with psycopg.connect(self.platform.url("postgres"), autocommit=True) as connection:
            connection.execute(
                "TRUNCATE proposals, events, reviews, actions, deliveries, idempotency_keys,"
                " call_window, consistency_reports"
            )
        with self.valkey() as valkey:
            # Who is signed in stays so, even when the frontend is replaced afterwards.
            for key in valkey.scan_iter():
                if not key.startswith(b"{frontend}"):
                    valkey.delete(key)
        httpx2.delete(f"{self.platform.urls.mail}/api/messages/").raise_for_status()

    def valkey(self) -> Redis:
        """A client of the platform's Valkey."""
        return Redis.from_url(self.platform.url("valkey"))

    def persist(self, call: Callable[[], httpx2.Response]) -> httpx2.Response:
        """The first answer that says what became of the call, which is repeated until then."""

        def answered() -> httpx2.Response | None:
            try:
                answer = call()
            except httpx2.TransportError:
                return None
            return answer if answer.status_code != 503 else None

        answer = wait_for(answered, "an answer", PATIENCE_SECONDS)
        self.answered = next(self._numbers)
        return answer

    def try_to_submit(self, proposal: Proposal) -> httpx2.Response:
        """One attempt, under the proposal's own key."""
        headers = {"Idempotency-Key": proposal.key}
        return self.client.post("/api/proposals", json=dict(proposal.draft), headers=headers)

    def acknowledged(self, proposal: Proposal, answer: httpx2.Response) -> Proposal:
        """`proposal` once it is stored: from now on it must be there."""
        assert answer.status_code == 201, answer.text
        proposal.id = answer.json()["id"]
        self.proposals.append(proposal)
        return proposal

    def submit(self, proposal: Proposal | None = None) -> Proposal:
        """A proposal that is stored; a new one unless one is given."""
        submitted = proposal or new_proposal()
        answer = self.persist(lambda: self.try_to_submit(submitted))
        return self.acknowledged(submitted, answer)

    def decide(self, proposal: Proposal, decision: str = "accepted") -> None:
        """Accept or reject."""
        path, body = f"/api/proposals/{proposal.id}/decision", {"decision": decision}
        self._change(proposal, decision, lambda: self.client.post(path, json=body))

    def withdraw(self, proposal: Proposal) -> None:
        """Take it back."""
        path = f"/api/proposals/{proposal.id}/withdrawal"
        self._change(proposal, "withdrawn", lambda: self.client.post(path))

    def _change(self, proposal: Proposal, state: str, call: Callable[[], httpx2.Response]) -> None:
        answer = self.persist(call)
        assert (answer.status_code, answer.json().get("state")) == (200, state), answer.text
        self.changed(proposal, state)

    def changed(self, proposal: Proposal, state: str) -> None:
        """Somebody was told that `proposal` is in `state` now, of which its speaker is mailed."""
        proposal.state = state
        proposal.mails.append(state)

    def delivery(self, proposal: Proposal, kind: str) -> dict[str, Any]:
        """Return what is told of a proposal: session, received, accepted, rejected or withdrawn."""
        params = {"proposal_id": proposal.id}
        answer = self.persist(lambda: self.client.get("/api/deliveries", params=params))
        return next(each for each in answer.json()["items"] if each["kind"] == kind)

    def wait_until_tried(self, proposal: Proposal, kind: str) -> None:
        """Until an attempt to tell has failed, and it waits for another."""

        def is_waiting() -> bool:
            delivery = self.delivery(proposal, kind)
            return delivery["state"] == "waiting" and delivery["last_error"] is not None

        wait_for(is_waiting, f"a failed attempt at {kind}", PATIENCE_SECONDS)

    def wait_until_told(self, proposal: Proposal, kind: str) -> None:
        """Until it has arrived where it belongs."""
        wait_for(
            lambda: self.delivery(proposal, kind)["state"] == "delivered",
            f"the delivery of {kind}",
            PATIENCE_SECONDS,
        )

    def wait_until_public(self, *ids: str) -> None:
        """Until visitors see these sessions and no other, live."""
        live = Agenda(frozenset(ids), is_saved=False)
        wait_for(lambda: self.public_agenda() == live, "the public agenda", PATIENCE_SECONDS)

    def wait_until_saved(self) -> None:
        """Until visitors see a saved agenda."""
        wait_for(lambda: self.public_agenda().is_saved, "the saved agenda", PATIENCE_SECONDS)

    def mails(self) -> list[Mail]:
        """Every mail there is."""
        url, pages = f"{self.platform.urls.mail}/api/messages/", 1
        found: dict[int, Mapping[str, Any]] = {}
        for page in count(1):
            if page > pages:
                break
            answer = httpx2.get(url, params={"page": page}, trust_env=False).json()
            pages = answer["meta"]["pages_total"]
            found |= {each["id"]: each for each in answer["data"]}
        return [_mail(each) for each in found.values()]

    def mails_for(self, proposal: Proposal) -> list[Mail]:
        """Every mail that the speaker of `proposal` got."""
        return [each for each in self.mails() if each.to == proposal.draft["speaker_email"]]

    def check(self, *options: str) -> tuple[int, str]:
        """The exit code and the log of a run of consistency-job that has patience with nothing."""
        with self._checking(*options) as checking:
            return checking.end(PATIENCE_SECONDS), checking.log_text()

    def _checking(self, *options: str) -> AbstractContextManager[Process]:
        urls = self.platform.urls
        program = services.consistency(
            1,
            urls={"agenda": urls.agenda, "c4p": urls.c4p, "email": urls.email, "public": urls.site},
            identities=self.platform.identities,
            env={"SETTLE_SECONDS": "0.001", "STUCK_SECONDS": "0.001"},
        )
        command = [*program.command[:3], *options]
        once = replace(program, name=f"check-{uuid4().hex}", command=command)
        return begun(once, self.platform.home.logs)

    def wait_until_settled(self) -> None:
        """Until nobody is still to be told anything."""
        wait_for(lambda: not self._deliveries("waiting"), "every delivery", PATIENCE_SECONDS)

    def _deliveries(self, state: str) -> list[dict[str, Any]]:
        params = {"state": state}
        answer = self.persist(lambda: self.client.get("/api/deliveries", params=params))
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    def assert_nothing_lost_nothing_doubled(self) -> None:
        """All that was acknowledged is there, told once to everybody, and nothing else is."""
        self.wait_until_settled()
        with self._checking() as checking:
            assert self._deliveries("failed") == []
            assert self._stored() == Counter(
                (each.id, each.draft["title"], each.draft["speaker_email"], each.state)
                for each in self.proposals
            )
            self._assert_agenda()
            self._assert_mails()
            assert checking.end(PATIENCE_SECONDS) == 0, checking.log_text()

    def _stored(self) -> Counter[tuple[str, ...]]:
        stored: Counter[tuple[str, ...]] = Counter()
        params: dict[str, str | int] = {"limit": 200}
        while True:
            page = self.persist(lambda: self.client.get("/api/proposals", params=params)).json()
            for each in page["items"]:
                stored[each["id"], each["title"], each["speaker_email"], each["state"]] += 1
            if page["next_cursor"] is None:
                return stored
            params["cursor"] = page["next_cursor"]

    def _assert_agenda(self) -> None:
        url = f"{self.platform.urls.agenda}/sessions"
        sessions = self.persist(lambda: httpx2.get(url)).json()["items"]
        accepted = [each.id for each in self.proposals if each.state == "accepted"]
        assert sorted(each["proposal_id"] for each in sessions) == sorted(accepted)
        assert len({each["slot"]["id"] for each in sessions}) == len(sessions)
        # The public agenda follows, within the time that it may be served from memory.
        self.wait_until_public(*accepted)

    def public_agenda(self) -> Agenda:
        """Return what the site shows now."""
        answer = self.client.get("/api/sessions")
        assert answer.status_code == 200, answer.text
        ids = frozenset(each["proposal_id"] for each in answer.json()["items"])
        return Agenda(ids, answer.headers["agenda-source"] == "saved")

    def wait_until_kept(self) -> None:
        """Until the sink has all that it was handed: it says yes before it has written."""
        self.wait_until_settled()
        owed = self._owed().keys()
        wait_for(
            lambda: owed <= {(each.to, each.kind) for each in self.mails()},
            "every mail",
            PATIENCE_SECONDS,
        )

    def _owed(self) -> Counter[tuple[str, str]]:
        return Counter(
            (each.draft["speaker_email"], kind) for each in self.proposals for kind in each.mails
        )

    def _assert_mails(self) -> None:
        self.wait_until_kept()
        owed = self._owed()
        speakers = {each.draft["speaker_email"] for each in self.proposals}
        mails = [each for each in self.mails() if each.to in speakers]
        if self.may_mail_twice:
            mails = list(set(mails))
        assert Counter((each.to, each.kind) for each in mails) == owed
        assert len({each.message_id for each in mails}) == len(mails)


def _mail(message: Mapping[str, Any]) -> Mail:
    headers = message_from_string(message["source"])
    kind = re.split(": ", message["subject"], maxsplit=1)[0]
    (to,) = message["recipients_envelope"]
    return Mail(to, _SUBJECTS.get(kind, kind), headers["Message-ID"])
