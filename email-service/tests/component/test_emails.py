"""Sending: what arrives, what is answered, and that a key sends once."""

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from testkit.process import Process
from testkit.waiting import wait_for

Order = Callable[..., dict[str, Any]]
Post = Callable[..., httpx2.Response]
OnlyMail = Callable[[str], EmailMessage]
Mails = Callable[[str], list[EmailMessage]]
Kind = Callable[[httpx2.Response], tuple[int, str]]

LINK = "https://conference.example.org/proposals/1?token=abc&x=1"
PROPOSAL = {"speaker_name": "Ada Lovelace", "title": "Notes on the Engine", "link": LINK}
FINDING = {"check": "a", "subject": "Notes on the Engine", "detail": "c", "cure": "d"}
DATA: dict[str, dict[str, Any]] = {
    "proposal-received": PROPOSAL,
    "proposal-accepted": {**PROPOSAL, "message": "Congratulations!\nBring a charger."},
    "proposal-rejected": {**PROPOSAL, "message": None},
    "proposal-withdrawn": PROPOSAL,
    "consistency-report": {"findings": [FINDING], "link": LINK},
}


def content(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body(preferencelist=(kind,))
    assert isinstance(body, EmailMessage)
    return str(body.get_content())


def logged(service: Process, event: str, key: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in service.log_text().splitlines()]
    return [line for line in lines if line["event"] == event and line.get("key") == key]


@pytest.mark.parametrize("template", sorted(DATA))
def test_mail_arrives_as_text_and_html(
    order: Order, post: Post, only_mail: OnlyMail, template: str
) -> None:
    body = order(template=template, data=DATA[template])
    answer = post(body)
    assert answer.status_code == 202, answer.text
    mail = only_mail(body["to"])
    assert mail.get_content_type() == "multipart/alternative"
    assert mail["To"] == body["to"]
    assert mail["From"] == "Example Conference 2027 <conference@example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime > datetime.now(UTC) - timedelta(minutes=1)
    for kind in ("plain", "html"):
        assert "Notes on the Engine" in content(mail, kind)
    assert LINK in content(mail, "plain")
    assert LINK.replace("&", "&amp;") in content(mail, "html")


def test_answer_tells_the_entry_with_the_address_masked(order: Order, post: Post) -> None:
    body = order()
    answer = post(body, "a-key:1")
    assert answer.status_code == 202
    entry = answer.json()
    assert entry.pop("sent_at").endswith("Z")
    assert entry == {
        "key": "a-key:1",
        "template": "proposal-received",
        "to": "s***@example.org",
        "reference": body["reference"],
        "state": "sent",
    }


def test_repeated_key_sends_once_and_gets_the_same_answer(
    order: Order, post: Post, only_mail: OnlyMail
) -> None:
    body, key = order(), uuid4().hex
    first = post(body, key)
    # The same to the receiver, though not letter by letter.
    again = {name: body[name] for name in reversed(body)}
    second = post({**again, "to": body["to"].replace("example.org", "EXAMPLE.org")}, key)
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == second.json()
    only_mail(body["to"])


def test_fifty_requests_with_one_key_at_once_send_one_mail(
    client: httpx2.Client, order: Order, post: Post, only_mail: OnlyMail, problem: Kind
) -> None:
    body, key = order(), uuid4().hex
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: post(body, key), range(50)))
    sent = [answer.json() for answer in answers if answer.status_code == 202]
    others = [answer for answer in answers if answer.status_code != 202]
    assert len({entry["sent_at"] for entry in sent}) == 1
    for answer in others:
        assert problem(answer) == (409, "sending-now")
        assert int(answer.headers["retry-after"]) > 0
    only_mail(body["to"])
    items = client.get("/emails", params={"reference": body["reference"]}).json()["items"]
    assert items == [sent[0]]


def test_fifty_mails_at_once_all_arrive(order: Order, post: Post, mails: Mails) -> None:
    bodies = [order() for _ in range(50)]
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(post, bodies))
    assert {answer.status_code for answer in answers} == {202}
    for body in bodies:
        wait_for(lambda to=body["to"]: len(mails(to)) == 1, "the mail")  # type: ignore[misc]


@pytest.mark.parametrize(
    "change",
    [
        {"to": "somebody-else@example.org"},
        {"reference": "another"},
        {"template": "proposal-withdrawn"},
        {"data": {**PROPOSAL, "title": "Another"}},
    ],
)
def test_key_with_another_body_is_refused_and_sends_nothing(
    order: Order, post: Post, only_mail: OnlyMail, problem: Kind, change: dict[str, Any]
) -> None:
    body, key = order(), uuid4().hex
    assert post(body, key).status_code == 202
    assert problem(post({**body, **change}, key)) == (422, "idempotency-key-reused")
    only_mail(body["to"])


def test_list_has_the_mails_of_a_reference_newest_first(
    client: httpx2.Client, order: Order, post: Post
) -> None:
    body = order()
    other = {**body, "template": "proposal-withdrawn"}
    entries = [post(body).json(), post(other).json()]
    answer = client.get("/emails", params={"reference": body["reference"]})
    assert answer.status_code == 200
    assert answer.json() == {"items": [entries[1], entries[0]]}


def test_list_of_an_unknown_reference_is_empty(client: httpx2.Client) -> None:
    answer = client.get("/emails", params={"reference": "nobody knows it"})
    assert (answer.status_code, answer.json()) == (200, {"items": []})


def test_list_shows_a_hundred_at_most(client: httpx2.Client, order: Order, post: Post) -> None:
    body = order()
    with ThreadPoolExecutor(8) as pool:
        assert {answer.status_code for answer in pool.map(post, [body] * 105)} == {202}
    items = client.get("/emails", params={"reference": body["reference"]}).json()["items"]
    assert len(items) == 100


def test_message_id_belongs_to_the_key(order: Order, post: Post, only_mail: OnlyMail) -> None:
    one, other = order(), order()
    post(one)
    post(other)
    ids = {only_mail(body["to"])["Message-ID"] for body in (one, other)}
    assert len(ids) == 2
    assert all(re.fullmatch(r"<[0-9a-f]{40}@example\.org>", each) for each in ids)


def test_hostile_data_stay_text(order: Order, post: Post, only_mail: OnlyMail) -> None:
    hostile = "</title><script>alert(1)</script> {{ 7*7 }} =?utf-8?q?=0ABcc:_eve@example.org?="
    body = order(data={**PROPOSAL, "title": hostile, "speaker_name": "Ada <b>'\""})
    assert post(body).status_code == 202
    mail = only_mail(body["to"])
    assert mail["Bcc"] is None
    assert mail["Subject"] == f"We have your proposal: {hostile}"
    assert "<script" not in content(mail, "html")
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ 7*7 }}" in content(mail, "html")
    assert hostile in content(mail, "plain")


@pytest.mark.parametrize(
    "title", ["a\nBcc: eve@example.org", "a\r\n\r\nbody", "a\u2028b", "\ud800"]
)
def test_title_with_line_breaks_is_refused(
    client: httpx2.Client, order: Order, problem: Kind, title: str
) -> None:
    answer = client.post(
        "/emails",
        content=json.dumps(order(data={**PROPOSAL, "title": title})),
        headers={"Idempotency-Key": uuid4().hex, "Content-Type": "application/json"},
    )
    assert problem(answer) == (422, "template-data")
    assert [each["field"] for each in answer.json()["errors"]] == ["data.title"]


@pytest.mark.parametrize("title", ["Überraschung für Zoë 🎉 " * 12, "長い題名" * 60, "x" * 300])
def test_long_title_in_any_script_arrives_whole(
    order: Order, post: Post, only_mail: OnlyMail, title: str
) -> None:
    body = order(data={**PROPOSAL, "title": title})
    assert post(body).status_code == 202
    mail = only_mail(body["to"])
    assert title.strip() in content(mail, "plain")
    assert mail["Subject"].endswith(title.strip())


def test_log_shows_the_mail_and_nothing_of_whom_it_is_for(
    service: Process, order: Order, post: Post
) -> None:
    body, key = order(), uuid4().hex
    assert post(body, key).status_code == 202
    (line,) = logged(service, "email sent", key)
    assert line["to"] == "s***@example.org"
    assert line["template"] == "proposal-received"
    assert line["reference"] == body["reference"]
    assert body["to"] not in service.log_text()
    assert body["data"]["title"] not in service.log_text()


def test_longest_address_arrives(order: Order, post: Post, only_mail: OnlyMail) -> None:
    to = f"{uuid4().hex}.{'a' * 31}@{'b' * 60}.{'c' * 60}.{'d' * 40}.example.org"
    assert post(order(to=to)).status_code == 202
    assert only_mail(to)["To"] == to


def test_domain_outside_ascii_is_written_as_smtp_carries_it(
    order: Order, post: Post, only_mail: OnlyMail
) -> None:
    name = uuid4().hex[:12]
    assert post(order(to=f"{name}@bücher.example.org")).status_code == 202
    only_mail(f"{name}@xn--bcher-kva.example.org")


def test_info_says_what_it_is(client: httpx2.Client) -> None:
    assert client.get("/info").json()["name"] == "email-service"
    assert client.get("/livez").status_code == 200
    assert client.get("/readyz").status_code == 200


def test_metrics_count_the_mails(service: Process, order: Order, post: Post) -> None:
    assert post(order()).status_code == 202
    port = service.program.env["METRICS_PORT"]
    text = httpx2.get(f"http://127.0.0.1:{port}/metrics").text
    assert 'neighbour_calls_total{neighbour="relay",outcome="answered"}' in text
