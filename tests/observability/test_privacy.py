"""Nothing that people type, and no secret, is in a log or a trace."""

import asyncio
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import orjson
import psycopg
import pytest
from tests.acceptance.mails import Mails
from tests.acceptance.office import Answer, Office
from tests.acceptance.site import Site
from tests.acceptance.visitor import Visitor
from tests.observability.failing import outage
from tests.observability.relay import UNKNOWN

from embedded.platform import Platform
from embedded.trace_page import TraceServer
from frontend.domain import Tokens
from frontend.identity.cookies import Sessions
from frontend.store.tokens import TokenStore
from testkit.waiting import wait_for

SERVICES = ("frontend", "c4p-service", "agenda-service", "email-service", "consistency-job")


_RAISING = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
-- The database's own log has what its owner raises; here it is about ours.
SET log_min_messages = 'panic' AS $$
BEGIN
  RAISE EXCEPTION 'no room for %, password=%, token %', NEW.speaker_email, '{password}', '{token}';
END $$;
CREATE TRIGGER refuse BEFORE INSERT ON proposals FOR EACH ROW EXECUTE FUNCTION refuse();
"""
_NOT_RAISING = "DROP TRIGGER refuse ON proposals; DROP FUNCTION refuse();"


class Canaries:
    """Words that nobody else has, by what they are; those that tests find in logs are told."""

    def __init__(self) -> None:
        self._words: dict[str, str] = {}

    def new(self, what: str) -> str:
        """A new one: a word as in a name."""
        self._words[what] = f"canary{uuid.uuid4().hex[:12]}"
        return self._words[what]

    def add(self, what: str, word: str) -> None:
        """One that came from somewhere else."""
        self._words[what] = word

    def add_token(self, what: str, token: str) -> None:
        """A token: the claims and the signature each, since it may be cut."""
        _, *parts = token.split(".")
        assert parts
        for number, part in enumerate(each for each in parts if each):
            self.add(f"part {number} of the {what}", part)

    def in_files(self, files: Mapping[str, str]) -> list[str]:
        """A line for each that is in one of `files`, with what is around it."""
        return [
            f"{what} in {name}: {text[max(0, at - 200) : at + 100]!r}"
            for name, text in files.items()
            for what, word in self._words.items()
            if (at := text.lower().find(word.lower())) >= 0
        ]


def logs(platform: Platform) -> dict[str, str]:
    """Every log file of the platform, by name, but that of the mail sink: it stands for the world
    outside, and all that it has is meant to be looked at.
    """
    files = {path.name: path.read_text(errors="replace") for path in platform.home.logs.iterdir()}
    assert {f"{name}.log" for name in (*SERVICES, "postgres", "valkey", "mail")} <= files.keys()
    del files["mail.log"]
    return files


def submitted_by_form(site: Site, office: Office, form: Mapping[str, str], title: str) -> Answer:
    with Visitor(site.url) as visitor:
        visitor.open("/call-for-proposals")
        visitor.press("Submit proposal", {**form, "Email": "no address"})
        visitor.press("Submit proposal", {"Email": form["Email"]})
        assert visitor.page.status == 200
    (proposal,) = office.found(title)
    return proposal


def test_logs_and_traces_show_nothing_of_anybody(
    platform: Platform, site: Site, office: Office, mails: Mails, received: TraceServer
) -> None:
    canaries = Canaries()
    typed = ("title", "abstract", "name", "message", "edit", "search", "organizer", "passcode")
    words = {what: canaries.new(what) for what in typed}
    known, unknown = canaries.new("address"), canaries.new("refused address")
    canaries.add("the passcode", site.passcode)
    form = {
        "Title": words["title"],
        "Abstract": words["abstract"],
        "Your name": words["name"],
        "Email": f"{known}@example.org",
    }
    proposal = submitted_by_form(site, office, form, words["title"])
    link = mails.link_to(form["Email"])
    canaries.add_token("signed link", parse_qs(urlsplit(link).query)["token"][0])
    with Visitor(site.url) as speaker:
        speaker.open(link)
        speaker.press("Save changes", {"Title": f"{words['title']} {words['edit']}"})
        speaker.open(f"{link}x")
    with Visitor(site.url) as organizer:
        organizer.open("/back-office")
        organizer.press("Sign in", {"Name": "x", "Passcode": words["passcode"]})
    session = site.sign_in(words["organizer"], "organizer")
    canaries.add_token("session cookie", session)
    tokens = asyncio.run(tokens_of(platform, session))
    for what, token in (("access", tokens.access), ("refresh", tokens.refresh), ("ID", tokens.id)):
        canaries.add_token(f"{what} token", token or "")
    for token in (tokens.access, f"{tokens.access}x", tokens.refresh):
        office.client.get("/proposals", headers={"Authorization": f"Bearer {token}"})
    office.client.get("/proposals", params={"q": words["search"]})
    office.decide(proposal, "accepted", words["message"])
    office.wait_until_told(proposal)
    fail_in_every_way(platform, office, form, unknown)
    fail_in_the_database(
        platform,
        office,
        address=canaries.new("raised address"),
        password=canaries.new("raised password"),
        token=tokens.access,
    )

    def is_traced() -> bool:
        return any(span.failed for each in received.traces.newest() for span in each.spans)

    wait_for(is_traced, "the traces of the failures")
    spans = "\n".join(repr(span) for each in received.traces.newest() for span in each.spans)
    found = canaries.in_files({**logs(platform), "the traces": spans})
    assert not found, "\n".join(found)


async def tokens_of(platform: Platform, session: str) -> Tokens:
    """Return what the provider gave for a session cookie, which no browser ever sees."""
    key = platform.home.secrets().session_key
    sessions = Sessions(key, secure=False)
    person = sessions.read({sessions.cookie: session}, datetime.now(UTC))
    assert person is not None
    store = TokenStore(platform.url("valkey"), key, timeout_seconds=10)
    tokens = await store.get(person.handle)
    await store.close()
    assert tokens is not None
    return tokens


def fail_in_the_database(
    platform: Platform, office: Office, *, address: str, password: str, token: str
) -> None:
    """An exception whose first line has an address, a password and a token."""
    with psycopg.connect(platform.url("postgres"), autocommit=True) as database:
        database.execute(_RAISING.format(password=password, token=token).encode())
        try:
            talk = {"title": "Raised", "abstract": "Raised", "speaker_name": "Raised"}
            answer = office.client.post(
                "/proposals", json={**talk, "speaker_email": f"x{address}@example.org"}
            )
        finally:
            database.execute(_NOT_RAISING)
    assert answer.is_server_error
    told = "no room for x***@example.org, password=***, token ***"
    # What is logged of a fault may come after the answer.
    wait_for(lambda: told in (platform.home.logs / "c4p-service.log").read_text(), "the fault")


def fail_in_every_way(
    platform: Platform, office: Office, form: Mapping[str, str], unknown: str
) -> None:
    """A refused recipient, an absent relay, an absent database, requests that make no sense."""
    talk = {
        "title": form["Title"],
        "abstract": form["Abstract"],
        "speaker_name": form["Your name"],
        "speaker_email": f"{UNKNOWN}{unknown}@example.org",
    }
    refused = office.submit(talk)
    wait_for(lambda: _is_told(platform, "given up", refused), "the refusal", 60)
    with outage(platform, "mail"):
        waiting = office.submit({**talk, "speaker_email": form["Email"]})
        wait_for(lambda: _is_told(platform, "postponed", waiting), "the relay's absence", 60)
    with outage(platform, "postgres"):
        assert office.client.post("/proposals", json=talk).status_code == 503
    with (
        psycopg.connect(platform.url("postgres")) as database,
        pytest.raises(psycopg.errors.CheckViolation),
    ):
        database.execute("UPDATE proposals SET version = 0 WHERE id = %s", [waiting["id"]])
    for body in (b"{", orjson.dumps({**talk, form["Title"]: 1}), orjson.dumps({"title": talk})):
        answer = office.client.post(
            "/proposals", content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.is_client_error
    office.wait_until_told(waiting)


def _is_told(platform: Platform, outcome: str, proposal: Answer) -> bool:
    text = (platform.home.logs / "c4p-service.log").read_text()
    return any(outcome in line and proposal["id"] in line for line in text.splitlines())


def test_mail_is_in_the_log_with_its_address_masked(
    platform: Platform, office: Office, submitted: Answer
) -> None:
    office.wait_until_told(submitted)
    lines = map(orjson.loads, _lines(platform, "email-service"))
    (sent,) = [each for each in lines if each.get("reference") == submitted["id"]]
    assert (sent["event"], sent["template"]) == ("email sent", "proposal-received")
    assert re.fullmatch(r"a\*\*\*@example\.org", sent["to"])


def test_request_is_one_line_with_the_id_of_its_trace(
    platform: Platform, site: Site, received: TraceServer
) -> None:
    before = len(_lines(platform, "frontend"))
    httpx2.get(f"{site.url}/no-such-page")

    def not_found() -> list[Mapping[str, Any]]:
        new = map(orjson.loads, _lines(platform, "frontend")[before:])
        return [each for each in new if each.get("status") == 404]

    (line,) = wait_for(not_found, "the line")
    assert (line["event"], line["level"], line["service"]) == ("request", "info", "frontend")
    assert (line["method"], line["route"]) == ("GET", "unmatched")
    assert line["milliseconds"] > 0
    wait_for(lambda: received.traces.find(line["trace_id"]), "the trace of that line")


def _lines(platform: Platform, name: str) -> list[str]:
    text = (platform.home.logs / f"{name}.log").read_text()
    # A last line may still be under way.
    return text[: text.rfind("\n") + 1].splitlines()


def test_log_of_every_service_is_json(platform: Platform, accepted: Answer) -> None:
    assert accepted["state"] == "accepted"
    for name in SERVICES:
        for line in _lines(platform, name):
            assert orjson.loads(line)["service"] == name, line
