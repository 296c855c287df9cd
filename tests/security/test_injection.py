"""Texts that mean something to a template, a browser, a mail program, a calendar or a terminal."""

import json
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from urllib.parse import quote, urlsplit

import httpx2
import pytest
from icalendar import Calendar
from tests.acceptance.document import Page
from tests.acceptance.mails import Mails
from tests.acceptance.office import Office, Talk
from tests.acceptance.programs import program
from tests.acceptance.site import Site
from tests.security.conftest import Raw

from testkit.fake import FakeNeighbour
from testkit.problems import problem
from testkit.waiting import wait_for

TEMPLATE = "{{7*7}} {%raw%} ${7*7} #{7*7} <%= 7*7 %> %(x)s {0.__class__}"
MARKUP = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'<!--"
HEADER = "=?utf-8?q?=0d=0aBcc:_evil=40example.org?= Bcc: evil@example.org %0d%0aX-Evil: 1"
CALENDAR = 'a\\nEND:VEVENT\\r\\nBEGIN:VEVENT;X="1",b:c\\'
FORMULA = '=HYPERLINK("http://evil.example","x")'
HOSTILE = [TEMPLATE, MARKUP, HEADER, CALENDAR, FORMULA]


def sources(site: Site, address: str) -> list[EmailMessage]:
    """The mails to `address`, as they went over the wire."""
    with program(site.mail_url) as sink:
        found = sink.get("/api/messages/").json()["data"]
        return [
            message_from_bytes(
                sink.get(f"/api/messages/{mail['id']}.source").content, policy=policy.default
            )
            for mail in found
            if mail["recipients_envelope"] == [address]
        ]


def assert_harmless(page: Page, text: str) -> None:
    """`text` stands on the page to be read, and means nothing."""
    assert " ".join(text.split()) in page.text, page.text
    assert all(each.get("src").startswith("/static/") for each in page.root.all("script"))
    for each in page.root.walk():
        assert not any(name.startswith("on") for name in each.attributes), each
        assert each.get("src") != "x"


@pytest.mark.parametrize("text", HOSTILE, ids=["template", "html", "header", "calendar", "formula"])
def test_text_is_shown_as_it_was_typed_and_means_nothing(
    site: Site, office: Office, mails: Mails, talk: Talk, text: str
) -> None:
    hostile = {
        **talk,
        "title": f"{talk['title']} {text}"[:200],
        "abstract": f"{text}\n\n{text}",
        "speaker_name": text[:120],
    }
    title, name = hostile["title"].strip(), hostile["speaker_name"].strip()
    proposal = office.submit(hostile)
    link = urlsplit(mails.link_to(talk["speaker_email"]))
    office.decide(proposal, "accepted", text)
    office.wait_for_session(proposal)
    office.wait_until_told(proposal)
    cookies, headers = dict(office.client.cookies), {"Accept": "text/html"}
    with program(site.url, cookies=cookies, headers=headers) as client:
        for path, shown in (
            ("/", ()),
            ("/agenda", (title, name)),
            (f"/agenda/{proposal['id']}", (title, name, text)),
            ("/back-office?state=accepted", (title, name)),
            (f"/back-office?q={quote(text[:80])}", ()),
            (f"/back-office/proposals/{proposal['id']}", (title, name, text)),
            (f"{link.path}?{link.query}", (title, text)),
            (f"/agenda?day={quote(text)}&room={quote(text)}&track={quote(text)}", ()),
        ):
            answer = client.get(path)
            assert answer.status_code == 200, path
            page = Page(200, path, answer.text)
            for each in shown or [page.heading]:
                assert_harmless(page, each)
        calendar_of(client, proposal["id"], title)
        events = client.get("/agenda.jsonld").json()["subEvent"]
        assert title in [each["name"] for each in events]
    assert_mails_are_harmless(site, talk["speaker_email"], title)


def calendar_of(client: httpx2.Client, proposal_id: str, title: str) -> None:
    """The calendar has one event for the proposal, and lines as RFC 5545 wants them."""
    content = client.get("/agenda.ics").content
    assert content.count(b"\n") == content.count(b"\r\n") == content.count(b"\r")
    assert max(len(line) for line in content.split(b"\r\n")) <= 75
    events = Calendar.from_ical(content).walk("VEVENT")
    (event,) = (each for each in events if each["UID"] == proposal_id)
    assert str(event["SUMMARY"]).replace("\n", "\\n") == title.replace("\n", "\\n")


def assert_mails_are_harmless(site: Site, address: str, title: str) -> None:
    """Two mails, to nobody else, that say what was typed and nothing that was hidden in it."""
    wait_for(lambda: len(sources(site, address)) == 2, "both mails")
    for mail in sources(site, address):
        assert mail.get_all("To") == [address]
        assert "Bcc" not in mail
        assert "X-Evil" not in mail
        assert len(mail.get_all("Subject", [])) == 1
        text = mail.get_body(("plain",))
        html = mail.get_body(("html",))
        assert text is not None
        assert html is not None
        assert " ".join(title.split()) in " ".join(text.get_content().split())
        assert "<script" not in html.get_content()
        assert "<img" not in html.get_content()


@pytest.mark.parametrize(
    "ending", ["\r\nBcc: evil@example.org", "\n\nbody", "\x0b", "\x85", "\u2028"]
)
@pytest.mark.parametrize("field", ["title", "speaker_name", "speaker_email"])
def test_line_break_is_refused_where_a_header_or_a_line_is_made_of_it(
    office: Office, talk: Talk, field: str, ending: str
) -> None:
    answer = office.client.post("/proposals", json={**talk, field: f"{talk[field]}{ending}x"})
    assert problem(answer) == (422, "invalid-request")
    assert answer.json()["errors"][0]["field"] == field


@pytest.mark.parametrize(
    "target",
    [
        "/sign-in?next=/agenda{evil}",
        "/back-office?q={evil}",
        "/back-office{evil}",
        "/call-for-proposals/received?reference={evil}",
        "/agenda?day={evil}&track={evil}",
        "/agenda/{evil}",
        "/static/{evil}/style.css",
        "/api/cfp?{evil}",
        "/api/sessions?day={evil}",
    ],
)
def test_line_break_in_an_address_makes_no_header(raw: Raw, target: str) -> None:
    for evil in ("%0d%0aX-Evil:%201", "%0aX-Evil:%201", "%E5%98%8D%E5%98%8AX-Evil:%201"):
        answer, _ = raw.ask("GET", target.replace("{evil}", evil), {"Accept": "text/html"})
        assert answer.getheader("X-Evil") is None
        assert answer.status < 500


@pytest.mark.parametrize("host", ["elsewhere.example", "elsewhere.example:80@site", "a\tb"])
def test_foreign_host_header_is_repeated_nowhere(raw: Raw, host: str) -> None:
    headers = {"Host": host, "X-Forwarded-Host": "elsewhere.example", "Accept": "text/html"}
    for target in ("/", "/back-office", "/call-for-proposals", "/agenda.jsonld", "/api/schedule"):
        answer, text = raw.ask("GET", target, headers)
        assert answer.status in {200, 303}
        assert "elsewhere.example" not in text
        assert "elsewhere.example" not in (answer.getheader("Location") or "")


def test_no_link_in_a_text_is_ever_fetched(
    site: Site, office: Office, talk: Talk, stranger: FakeNeighbour
) -> None:
    url = f"{stranger.url}/evil"
    text = f'{url} <img src="{url}"> <link rel=stylesheet href="{url}"> ![]({url})'
    proposal = office.submit({**talk, "title": f"{talk['title']} {url}", "abstract": text})
    office.decide(proposal, "accepted", text)
    office.wait_for_session(proposal)
    office.wait_until_told(proposal)
    with program(site.url) as client:
        for path in ("/agenda", f"/agenda/{proposal['id']}", "/agenda.ics"):
            assert client.get(path).status_code == 200
    assert stranger.calls == []


def test_input_can_not_add_or_colour_a_line_of_the_log(
    raw: Raw, office: Office, talk: Talk, logs: Callable[[], dict[str, list[bytes]]]
) -> None:
    evil = '\x1b[31m"\n{"event": "forged"}'
    quoted = quote(evil)
    for target in (f"/{quoted}", f"/agenda?day={quoted}", f"/api/proposals/{quoted}"):
        raw.ask("GET", target, {"User-Agent": "\x1b[31m forged", "Idempotency-Key": "\x1b forged"})
    office.client.post("/proposals", json={**talk, "title": evil})
    office.client.get("/proposals", params={"q": evil})
    office.client.get(f"/proposals/{quoted}/emails")
    for name, lines in logs().items():
        assert lines, name
        for line in lines:
            assert "event" in json.loads(line), (name, line)
            assert b"\x1b" not in line
            assert json.loads(line)["event"] != "forged"
