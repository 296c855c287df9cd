from dataclasses import replace
from datetime import UTC, datetime

import pytest

from email_service.domain import (
    MailRequest,
    State,
    ascii_address,
    make_message_id,
    mark_sent,
    new_entry,
    one_line,
    redact_reply,
)

REQUEST = MailRequest("proposal-received", "ada@example.org", "p-1", {"title": "A", "link": "B"})


def test_fingerprint_ignores_the_order_of_the_data() -> None:
    turned = replace(REQUEST, data={"link": "B", "title": "A"})
    assert turned.fingerprint() == REQUEST.fingerprint()


@pytest.mark.parametrize(
    "other",
    [
        replace(REQUEST, template="proposal-withdrawn"),
        replace(REQUEST, to="eve@example.org"),
        replace(REQUEST, reference="p-2"),
        replace(REQUEST, data={"title": "A", "link": "C"}),
        replace(REQUEST, to="ada@example.org,p-1", reference=""),
    ],
)
def test_fingerprint_tells_different_requests_apart(other: MailRequest) -> None:
    assert other.fingerprint() != REQUEST.fingerprint()


def test_entry_holds_no_address() -> None:
    entry = new_entry("key", REQUEST)
    assert entry.to_masked == "a***@example.org"
    assert entry.state is State.SENDING
    assert entry.sent_at is None


def test_mark_sent_changes_the_state_and_the_time_only() -> None:
    entry = new_entry("key", REQUEST)
    now = datetime(2027, 6, 14, tzinfo=UTC)
    assert mark_sent(entry, now) == replace(entry, state=State.SENT, sent_at=now)


def test_message_id_is_the_same_for_a_key_and_gives_nothing_away() -> None:
    first = make_message_id("01975c2e:1", "example.org")
    assert first == make_message_id("01975c2e:1", "example.org")
    assert first != make_message_id("01975c2e:2", "example.org")
    assert first.endswith("@example.org>")
    assert "01975c2e" not in first


@pytest.mark.parametrize("separator", ["\n", "\r\n", "\t", "\x0b", "\x1c", "\x85", "\u2028"])
def test_one_line_has_no_line_breaks_of_any_kind(separator: str) -> None:
    assert one_line(f"a{separator}Bcc: eve@example.org ") == "a Bcc: eve@example.org"


@pytest.mark.parametrize(
    "reply",
    [
        "5.1.1 <ada@example.org>: no such user",
        "ADA@example.org unknown",
        "alias ada@example.org of ada@relay.example",
        "to:ada@example.org\nsecond line",
    ],
)
def test_redact_reply_masks_every_address(reply: str) -> None:
    assert "ada@" not in redact_reply(reply).lower()
    assert "\n" not in redact_reply(reply)


def test_redact_reply_bounds_the_length() -> None:
    assert len(redact_reply("x " * 1000)) <= 200


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Ada@Example.ORG", "Ada@example.org"),
        ("ada@bücher.example.org", "ada@xn--bcher-kva.example.org"),
        ("o'neil+cfp@example.org", "o'neil+cfp@example.org"),
        ("дада@example.org", "дада@example.org"),
    ],
)
def test_ascii_address_is_what_smtp_carries(text: str, address: str) -> None:
    assert ascii_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "ada@",
        "@example.org",
        "ada@example",
        "ada@@example.org",
        "Ada <ada@example.org>",
        "ada@example.org, eve@example.org",
        "ada@example.org\nRCPT TO:<eve@example.org>",
        '"a b"@example.org',
        "ada@[127.0.0.1]",
        "ada@\ud800.org",
        "=?utf-8?q?=0ABcc=3Aeve=40example.org?=@example.org",
    ],
)
def test_ascii_address_refuses_what_is_not_one_address(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - what pydantic turns into a 422
        ascii_address(text)
