"""email-service as a process, on a real Valkey and a real mail sink."""

import email
import email.policy
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from email.message import EmailMessage
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx2
import pytest

from testkit.issuer import Issuer
from testkit.process import Process, Program, running
from testkit.waiting import wait_for


@pytest.fixture(scope="session")
def email_service(
    valkey_server: Process,
    make_email_service: Callable[..., Program],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., AbstractContextManager[Process]]:
    """A service that hands its mails to the relay on an SMTP port; more settings by name."""

    @contextmanager
    def start(smtp_port: int, **settings: str) -> Iterator[Process]:
        program = make_email_service(valkey_server.url, smtp_port, **settings)
        with running(program, tmp_path_factory.mktemp("email")) as process:
            yield process

    return start


@pytest.fixture(scope="module")
def limits() -> Mapping[str, str]:
    """None that ends while a test waits; a module that tests how they are kept has its own."""
    return {}


@pytest.fixture(scope="module")
def service(
    email_service: Callable[..., AbstractContextManager[Process]],
    mail_server: Process,
    smtp_port: int,
    limits: Mapping[str, str],
) -> Iterator[Process]:
    """A service in front of the mail sink."""
    with email_service(smtp_port, **limits) as process:
        yield process


@pytest.fixture
def client(service: Process, rights: Mapping[str, str]) -> Iterator[httpx2.Client]:
    """A client of `service` that may do everything."""
    with httpx2.Client(base_url=service.url, timeout=30, headers=rights) as session:
        yield session


@pytest.fixture
def rights(issuer: Issuer) -> Mapping[str, str]:
    """The header of who may do everything."""
    return issuer.bearer("mail-sender", aud="conference-mail")


@pytest.fixture
def post_to(rights: Mapping[str, str]) -> Callable[..., httpx2.Response]:
    """POST a body to a service under a key, a new one where none is given."""

    def send(service: Process, body: dict[str, Any], key: str | None = None) -> httpx2.Response:
        headers = {**rights, "Idempotency-Key": key or uuid4().hex}
        return httpx2.post(f"{service.url}/emails", json=body, headers=headers, timeout=30)

    return send


@pytest.fixture
def abandon(rights: Mapping[str, str]) -> Callable[..., None]:
    """POST a body to a service, and hang up without an answer as soon as a condition holds."""

    def send(
        service: Process, body: dict[str, Any], key: str, once: Callable[[], object], what: str
    ) -> None:
        headers = {**rights, "Idempotency-Key": key, "Content-Type": "application/json"}
        with closing(HTTPConnection(urlsplit(service.url).netloc)) as asker:
            asker.request("POST", "/emails", json.dumps(body), headers)
            wait_for(once, what, pause=0.01)

    return send


@pytest.fixture
def order() -> Callable[..., dict[str, Any]]:
    """The body of a POST, to an address and with a reference of its own; fields by name."""

    def make(**fields: Any) -> dict[str, Any]:
        unique = uuid4().hex[:12]
        return {
            "template": "proposal-received",
            "to": f"speaker-{unique}@example.org",
            "reference": unique,
            "data": {
                "speaker_name": "Ada Lovelace",
                "title": "Notes on the Engine",
                "link": "https://conference.example.org/proposals/1?token=abc",
            },
            **fields,
        }

    return make


@pytest.fixture
def post(client: httpx2.Client) -> Callable[..., httpx2.Response]:
    """POST a body under a key, a new one where none is given."""

    def send(body: dict[str, Any], key: str | None = None) -> httpx2.Response:
        return client.post("/emails", json=body, headers={"Idempotency-Key": key or uuid4().hex})

    return send


@pytest.fixture(scope="session")
def mails(mail_server: Process) -> Callable[[str], list[EmailMessage]]:
    """The mails to an address that lie in the sink just now."""

    def find(to: str) -> list[EmailMessage]:
        with httpx2.Client(base_url=f"{mail_server.url}/api/messages/", timeout=10) as sink:
            first = sink.get("").json()
            pages = [first] + [
                sink.get("", params={"page": number}).json()
                for number in range(2, first["meta"]["pages_total"] + 1)
            ]
            ids = {
                each["id"]
                for page in pages
                for each in page["data"]
                if to in str(each["recipients_envelope"])
            }
            return [parse(sink.get(f"{each}.source").text) for each in sorted(ids)]

    return find


def parse(source: str) -> EmailMessage:
    """A mail from its source."""
    message = email.message_from_string(source, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


@pytest.fixture
def only_mail(
    mails: Callable[[str], list[EmailMessage]],
    post: Callable[..., httpx2.Response],
    order: Callable[..., dict[str, Any]],
) -> Callable[[str], EmailMessage]:
    """The one mail that an address got.

    The sink keeps mails in the order in which they come, so a last one shows that no other is
    still under way.
    """

    def find(to: str) -> EmailMessage:
        last = order()
        wait_for(lambda: post(last).status_code == 202, "the last mail to be taken")
        wait_for(lambda: mails(last["to"]), "the last mail to lie in the sink")
        (mail,) = mails(to)
        return mail

    return find


@pytest.fixture
def problem() -> Callable[[httpx2.Response], tuple[int, str]]:
    """The status and the kind of a problem, whose form is checked."""

    def read(answer: httpx2.Response) -> tuple[int, str]:
        assert answer.headers["content-type"] == "application/problem+json"
        document = answer.json()
        assert document["status"] == answer.status_code
        assert document["title"]
        assert document["detail"]
        return answer.status_code, document["type"].removeprefix("urn:problem:")

    return read
