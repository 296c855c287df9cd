"""Relays that refuse, hang up, say odd things, or want TLS and a password."""

import asyncio
import re
import signal
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword

from testkit.ports import free_port
from testkit.process import Process
from testkit.waiting import wait_for

Order = Callable[..., dict[str, Any]]
PostTo = Callable[..., httpx2.Response]
Kind = Callable[[httpx2.Response], tuple[int, str]]
EmailService = Callable[..., AbstractContextManager[Process]]


class Handler:
    """A relay's mind: what it says to which command, and what it has taken."""

    def __init__(self) -> None:
        self.says: dict[str, str] = {}
        self.taken: list[bytes] = []
        self.hangs_after_data = False

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, _server: object, _session: object, envelope: Envelope, sender: str, _options: object
    ) -> str:
        envelope.mail_from = sender
        return self.says.get("MAIL", "250 OK")

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: object, _session: object, envelope: Envelope, to: str, _options: object
    ) -> str:
        envelope.rcpt_tos.append(to)
        return self.says.get("RCPT", "250 OK")

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _server: object, _session: object, envelope: Envelope
    ) -> str:
        reply = self.says.get("DATA", "250 OK")
        if reply.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.taken.append(envelope.content)
        if self.hangs_after_data:
            await asyncio.Event().wait()
        return reply


class Door(Controller):
    """A relay that knows how many connections are open."""

    open = 0

    def factory(self) -> SMTP:
        """The server's end of one connection."""
        door = self

        class Counted(SMTP):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                door.open += 1
                super().connection_made(transport)

            def connection_lost(self, error: Exception | None) -> None:
                door.open -= 1
                super().connection_lost(error)

        return Counted(self.handler, **self.SMTP_kwargs)


@contextmanager
def relay(handler: Handler, **options: Any) -> Iterator[int]:
    """The port of a real SMTP server that thinks as `handler` does."""
    controller = Controller(
        handler, hostname="127.0.0.1", port=free_port(), ready_timeout=30, **options
    )
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


@pytest.fixture(scope="module")
def handler() -> Handler:
    return Handler()


@pytest.fixture(scope="module")
def relay_port(handler: Handler) -> Iterator[int]:
    with relay(handler) as port:
        yield port


@pytest.fixture(scope="module")
def service(email_service: EmailService, relay_port: int) -> Iterator[Process]:
    with email_service(relay_port) as process:
        yield process


@pytest.fixture(autouse=True)
def _willing(handler: Handler) -> None:
    handler.__init__()  # type: ignore[misc]


@pytest.mark.parametrize("command", ["RCPT", "DATA"])
def test_permanent_refusal_is_told_with_the_relays_words_and_no_address(
    post_to: PostTo,
    service: Process,
    client: httpx2.Client,
    handler: Handler,
    order: Order,
    problem: Kind,
    command: str,
) -> None:
    body = order()
    handler.says[command] = f"550 5.1.1 <{body['to']}>: there is no such user"
    answer = post_to(service, body)
    assert problem(answer) == (422, "recipient-refused")
    assert "550 5.1.1 <s***@example.org>: there is no such user" in answer.json()["detail"]
    assert body["to"] not in service.log_text()
    listed = client.get("/emails", params={"reference": body["reference"]})
    assert listed.json() == {"items": []}


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("MAIL", "451 4.3.0 come back later"),
        ("MAIL", "550 5.7.1 sender not allowed"),
        ("RCPT", "450 4.2.1 mailbox busy"),
        ("DATA", "452 4.3.1 no room"),
        ("RCPT", "421 4.3.2 closing down"),
    ],
)
def test_temporary_refusal_is_a_503_and_the_same_key_sends_later(
    handler: Handler,
    order: Order,
    post: Callable[..., httpx2.Response],
    problem: Kind,
    command: str,
    reply: str,
) -> None:
    body, key = order(), uuid4().hex
    handler.says[command] = reply
    answer = post(body, key)
    assert problem(answer) == (503, "relay-unavailable")
    assert reply in answer.json()["detail"]
    assert int(answer.headers["retry-after"]) > 0
    handler.says.clear()
    wait_for(lambda: post(body, key).status_code == 202, "the mail to be taken")
    assert len(handler.taken) == 1


def test_refused_recipient_may_be_tried_again_with_the_same_key(
    handler: Handler, order: Order, post: Callable[..., httpx2.Response]
) -> None:
    body, key = order(), uuid4().hex
    handler.says["RCPT"] = "550 no such user yet"
    assert post(body, key).status_code == 422
    handler.says.clear()
    assert post(body, key).status_code == 202
    assert len(handler.taken) == 1


def test_metrics_tell_what_became_of_mails(
    service: Process, handler: Handler, order: Order, post: Callable[..., httpx2.Response]
) -> None:
    def counted() -> dict[str, float]:
        text = httpx2.get(f"http://127.0.0.1:{service.program.env['METRICS_PORT']}/metrics").text
        series = r'mails_total{outcome="(\w+)",template="proposal-received"} (\S+)'
        return {outcome: float(value) for outcome, value in re.findall(series, text)}

    before = counted()
    for reply, status in (("250 OK", 202), ("451 later", 503), ("550 never", 422)):
        handler.says["DATA"] = reply
        assert post(order(), uuid4().hex).status_code == status
    after = counted()
    assert {outcome: after[outcome] - before[outcome] for outcome in after} == {
        "sent": 1,
        "failed": 1,
        "refused": 1,
    }


def test_mail_after_a_lost_answer_has_the_same_message_id(
    abandon: Callable[..., None],
    email_service: EmailService,
    relay_port: int,
    handler: Handler,
    order: Order,
    post: Callable[..., httpx2.Response],
    problem: Kind,
) -> None:
    body, key = order(), uuid4().hex
    handler.hangs_after_data = True
    limits = {"SMTP_TIMEOUT_SECONDS": "4", "SENDING_LEASE_SECONDS": "8"}
    with email_service(relay_port, **limits) as victim:
        abandon(victim, body, key, lambda: handler.taken, "the relay to have the mail")
        victim.send(signal.SIGKILL)
    handler.hangs_after_data = False
    assert problem(post(body, key)) == (409, "sending-now")
    wait_for(lambda: post(body, key).status_code == 202, "the lease to be over")
    first, second = (message_id(source) for source in handler.taken)
    assert first == second


def test_refusals_leave_no_connection_open(
    post_to: PostTo, email_service: EmailService, handler: Handler, order: Order
) -> None:
    handler.says["RCPT"] = "550 no such user"
    door = Door(handler, hostname="127.0.0.1", port=free_port(), ready_timeout=30)
    door.start()
    try:
        with email_service(door.port) as service:
            for _ in range(20):
                assert post_to(service, order()).status_code == 422
            wait_for(lambda: door.open == 0, "the end of all connections")
    finally:
        door.stop()


def message_id(source: bytes) -> bytes:
    (line,) = [each for each in source.splitlines() if each.lower().startswith(b"message-id:")]
    return line


def test_mail_is_ascii_with_each_header_once(
    handler: Handler, order: Order, post: Callable[..., httpx2.Response]
) -> None:
    body = order()
    body["data"]["title"] = "Überraschung 🎉"
    assert post(body).status_code == 202
    (source,) = handler.taken
    assert source.isascii()
    headers = source.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    names = [line.partition(":")[0] for line in headers if not line.startswith(" ")]
    envelope = ["To", "Subject", "From", "Date", "Message-ID", "Auto-Submitted"]
    assert sorted(names) == sorted([*envelope, "MIME-Version", "Content-Type"])
    assert max(len(line) for line in source.splitlines()) <= 998


def test_address_outside_ascii_is_sent_to_a_relay_that_takes_it(
    handler: Handler, order: Order, post: Callable[..., httpx2.Response]
) -> None:
    assert post(order(to="дада@example.org")).status_code == 202
    (source,) = handler.taken
    assert "To: дада@example.org\r\n".encode() in source


def test_address_outside_ascii_is_refused_where_the_relay_does_not_take_it(
    post_to: PostTo, email_service: EmailService, handler: Handler, order: Order, problem: Kind
) -> None:
    with relay(handler, enable_SMTPUTF8=False) as port, email_service(port) as service:
        answer = post_to(service, order(to="дада@example.org"))
        assert problem(answer) == (422, "recipient-refused")
        assert handler.taken == []


def test_relay_without_starttls_gets_no_mail_in_the_clear(
    post_to: PostTo, email_service: EmailService, handler: Handler, order: Order, problem: Kind
) -> None:
    with relay(handler) as port, email_service(port, SMTP_TLS="starttls") as service:
        assert problem(post_to(service, order())) == (503, "relay-unavailable")
        assert handler.taken == []


def authenticate(
    _server: object, _session: object, _envelope: object, _mechanism: str, data: object
) -> AuthResult:
    assert isinstance(data, LoginPassword)
    # Not handled, so that a refusal is also said.
    return AuthResult(success=data == LoginPassword(b"conference", b"open-sesame"), handled=False)


# What it warns of is what the test wants: a password and no TLS.
@pytest.mark.filterwarnings("ignore:Requiring AUTH:UserWarning")
def test_account_signs_in_and_a_wrong_password_is_a_503_that_hides_it(
    post_to: PostTo, email_service: EmailService, handler: Handler, order: Order, problem: Kind
) -> None:
    options = {"authenticator": authenticate, "auth_required": True, "auth_require_tls": False}
    with relay(handler, **options) as port:
        account = {"SMTP_USERNAME": "conference", "SMTP_PASSWORD": "open-sesame"}
        with email_service(port, **account) as service:
            assert post_to(service, order()).status_code == 202
        with email_service(port, **account | {"SMTP_PASSWORD": "s3cret-word"}) as service:
            answer = post_to(service, order())
            assert problem(answer) == (503, "relay-unavailable")
            assert ": 535 " in answer.json()["detail"]
            assert "s3cret-word" not in answer.text + service.log_text()
    assert len(handler.taken) == 1


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_tls_relay_is_taken_when_its_certificate_is_trusted_only(
    post_to: PostTo,
    email_service: EmailService,
    handler: Handler,
    order: Order,
    problem: Kind,
    tmp_path: Path,
    tls: str,
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    options: dict[str, Any] = (
        {"ssl_context": context}
        if tls == "tls"
        else {"tls_context": context, "require_starttls": True}
    )
    trusted = {"SSL_CERT_FILE": str(tmp_path / "authority.pem")}
    with relay(handler, **options) as port:
        with email_service(port, SMTP_TLS=tls, **trusted) as service:
            assert post_to(service, order()).status_code == 202
        with email_service(port, SMTP_TLS=tls) as service:
            assert problem(post_to(service, order())) == (503, "relay-unavailable")
    assert len(handler.taken) == 1
