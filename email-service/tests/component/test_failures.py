"""The relay, Valkey or the service stopped, frozen, killed: nothing lost, nothing doubled."""

import signal
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
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
SentOnce = Callable[[dict[str, Any], str], None]
EmailService = Callable[..., AbstractContextManager[Process]]
Kind = Callable[[httpx2.Response], tuple[int, str]]
UnderWay = Callable[[Process, dict[str, Any], str], AbstractContextManager[None]]

LIMITS = {
    "SMTP_TIMEOUT_SECONDS": "4",
    "SENDING_LEASE_SECONDS": "8",
    "VALKEY_TIMEOUT_SECONDS": "2",
}
"""They end while a test waits, and not because this machine is busy."""
BOUND_SECONDS = 15
"""What an answer may take that waits for one of them."""


@pytest.fixture(scope="module")
def limits() -> Mapping[str, str]:
    return LIMITS


@contextmanager
def stopped(process: Process) -> Iterator[None]:
    process.stop()
    try:
        yield
    finally:
        process.start()


@contextmanager
def frozen(process: Process) -> Iterator[None]:
    process.send(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send(signal.SIGCONT)


def is_claimed(client: httpx2.Client, body: dict[str, Any]) -> bool:
    """Return whether the one mail about this is being sent."""
    return [each["state"] for each in listed(client, {"reference": body["reference"]})] == [
        "sending"
    ]


@pytest.fixture
def under_way(
    client: httpx2.Client, mail_server: Process, abandon: Callable[..., None]
) -> UnderWay:
    """The service waits for a frozen relay, and whoever asked it has hung up."""

    @contextmanager
    def begin(service: Process, body: dict[str, Any], key: str) -> Iterator[None]:
        with frozen(mail_server):
            abandon(service, body, key, lambda: is_claimed(client, body), "the claim")
            yield

    return begin


def wait_until_sent(post: Post, body: dict[str, Any], key: str) -> None:
    wait_for(lambda: post(body, key).status_code == 202, "the mail to be taken")


@pytest.fixture
def sent_once(post: Post, only_mail: OnlyMail) -> SentOnce:
    """Waits until a mail that failed before is sent, and sees that it was sent once."""

    def wait(body: dict[str, Any], key: str) -> None:
        wait_until_sent(post, body, key)
        only_mail(body["to"])

    return wait


def answer_in_time(post: Post, body: dict[str, Any], key: str) -> httpx2.Response:
    started = time.monotonic()
    answer = post(body, key)
    assert time.monotonic() - started < BOUND_SECONDS
    return answer


def test_relay_stopped_is_a_503_and_the_mail_is_sent_once_when_it_is_back(
    client: httpx2.Client,
    mail_server: Process,
    order: Order,
    post: Post,
    sent_once: SentOnce,
    problem: Kind,
) -> None:
    body, key = order(), uuid4().hex
    with stopped(mail_server):
        for _ in range(3):
            answer = post(body, key)
            assert problem(answer) == (503, "relay-unavailable")
            assert int(answer.headers["retry-after"]) > 0
        listed = client.get("/emails", params={"reference": body["reference"]})
        assert listed.json() == {"items": []}
    sent_once(body, key)


def test_relay_that_stays_unavailable_is_left_to_rest(
    mail_server: Process, order: Order, post: Post, sent_once: SentOnce
) -> None:
    body, key = order(), uuid4().hex
    with stopped(mail_server):
        assert "it can't be reached" in post(body, key).json()["detail"]
        wait_for(lambda: "left to rest" in post(body, key).json()["detail"], "the breaker")
    sent_once(body, key)


def test_frozen_relay_is_a_503_in_bounded_time(
    mail_server: Process, order: Order, post: Post, sent_once: SentOnce, problem: Kind
) -> None:
    body, key = order(), uuid4().hex
    with frozen(mail_server):
        answer = answer_in_time(post, body, key)
        assert problem(answer) == (503, "relay-unavailable")
        assert "too slowly" in answer.json()["detail"]
    sent_once(body, key)


def test_mail_that_is_under_way_is_a_409(
    under_way: UnderWay, service: Process, order: Order, post: Post, problem: Kind
) -> None:
    body, key = order(), uuid4().hex
    with under_way(service, body, key):
        answer = post(body, key)
        assert problem(answer) == (409, "sending-now")
        assert int(answer.headers["retry-after"]) > 0
        assert problem(post({**body, "to": "eve@example.org"}, key)) == (
            422,
            "idempotency-key-reused",
        )
    wait_until_sent(post, body, key)


def test_entry_under_way_is_listed_as_sending(
    under_way: UnderWay, client: httpx2.Client, service: Process, order: Order, post: Post
) -> None:
    body, key = order(), uuid4().hex
    with under_way(service, body, key):
        (item,) = client.get("/emails", params={"reference": body["reference"]}).json()["items"]
        assert (item["key"], item["state"], item["sent_at"]) == (key, "sending", None)
    wait_until_sent(post, body, key)


def test_service_killed_and_restarted_keeps_its_ledger(
    client: httpx2.Client, service: Process, order: Order, post: Post, only_mail: OnlyMail
) -> None:
    body, key = order(), uuid4().hex
    before = post(body, key)
    service.send(signal.SIGKILL)
    service.start()
    assert post(body, key).json() == before.json()
    listed = client.get("/emails", params={"reference": body["reference"]})
    assert listed.json() == {"items": [before.json()]}
    only_mail(body["to"])


def test_service_killed_while_sending_leaves_the_mail_to_another_after_the_lease(
    under_way: UnderWay,
    email_service: EmailService,
    smtp_port: int,
    order: Order,
    post: Post,
    sent_once: SentOnce,
    problem: Kind,
) -> None:
    body, key = order(), uuid4().hex
    with email_service(smtp_port, **LIMITS) as victim, under_way(victim, body, key):
        victim.send(signal.SIGKILL)
    assert problem(post(body, key)) == (409, "sending-now")
    sent_once(body, key)


def test_valkey_stopped_is_a_503_that_sends_nothing(
    client: httpx2.Client,
    valkey_server: Process,
    order: Order,
    post: Post,
    sent_once: SentOnce,
    problem: Kind,
) -> None:
    body, key = order(), uuid4().hex
    with stopped(valkey_server):
        for answer in (
            post(body, key),
            client.get("/emails", params={"reference": body["reference"]}),
        ):
            assert problem(answer) == (503, "unavailable")
            assert int(answer.headers["retry-after"]) > 0
        assert client.get("/readyz").status_code == 200
    sent_once(body, key)


def test_valkey_restarted_keeps_the_ledger(
    valkey_server: Process, order: Order, post: Post, only_mail: OnlyMail
) -> None:
    body, key = order(), uuid4().hex
    before = post(body, key)
    with stopped(valkey_server):
        pass
    # At once, through a connection that ended with the old process, and without its scripts.
    after = post(body, key)
    assert (after.status_code, after.json()) == (202, before.json())
    only_mail(body["to"])


def test_frozen_valkey_is_a_503_in_bounded_time(
    valkey_server: Process, order: Order, post: Post, sent_once: SentOnce, problem: Kind
) -> None:
    body, key = order(), uuid4().hex
    with frozen(valkey_server):
        assert problem(answer_in_time(post, body, key)) == (503, "unavailable")
    sent_once(body, key)


@pytest.fixture
def sent_unrecorded(
    valkey_server: Process, mail_server: Process, rights: Mapping[str, str]
) -> Callable[[Process, dict[str, Any], str], AbstractContextManager[httpx2.Response]]:
    """Without Valkey, which went between the relay's yes and the record: the answer to that."""

    @contextmanager
    def without_valkey(
        service: Process, body: dict[str, Any], key: str
    ) -> Iterator[httpx2.Response]:
        with ExitStack() as stack:
            client = stack.enter_context(
                httpx2.Client(base_url=service.url, timeout=30, headers=rights)
            )
            pool = stack.enter_context(ThreadPoolExecutor(1))
            with frozen(mail_server):
                headers = {"Idempotency-Key": key}
                answer = pool.submit(client.post, "/emails", json=body, headers=headers)
                wait_for(lambda: is_claimed(client, body), "the claim", pause=0.01)
                stack.enter_context(stopped(valkey_server))
            yield answer.result(30)

    return without_valkey


def listed(client: httpx2.Client, params: dict[str, Any]) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.get("/emails", params=params).json()["items"]
    return items


def test_valkey_lost_between_relay_and_record_does_not_double_the_mail(
    service: Process,
    client: httpx2.Client,
    sent_unrecorded: Callable[..., AbstractContextManager[httpx2.Response]],
    order: Order,
    post: Post,
    only_mail: OnlyMail,
    problem: Kind,
) -> None:
    body, key = order(), uuid4().hex
    with sent_unrecorded(service, body, key) as answer:
        assert problem(answer) == (409, "sending-now")
        assert problem(post(body, key)) == (409, "sending-now")
    wait_until_sent(post, body, key)
    (item,) = listed(client, {"reference": body["reference"]})
    assert item["state"] == "sent"
    assert post(body, key).json() == item
    only_mail(body["to"])


def test_service_killed_before_the_record_has_acknowledged_nothing(
    email_service: EmailService,
    smtp_port: int,
    sent_unrecorded: Callable[..., AbstractContextManager[httpx2.Response]],
    client: httpx2.Client,
    order: Order,
    post: Post,
    mails: Callable[[str], list[EmailMessage]],
    problem: Kind,
) -> None:
    body, key = order(), uuid4().hex
    with (
        email_service(smtp_port, **LIMITS) as victim,
        sent_unrecorded(victim, body, key) as answer,
    ):
        assert problem(answer) == (409, "sending-now")
        victim.send(signal.SIGKILL)
    wait_until_sent(post, body, key)
    (item,) = listed(client, {"reference": body["reference"]})
    assert (item["key"], item["state"]) == (key, "sent")
    # The relay has it twice; whoever reads it can tell.
    wait_for(lambda: len(mails(body["to"])) == 2, "the mail again")
    assert len({each["Message-ID"] for each in mails(body["to"])}) == 1
