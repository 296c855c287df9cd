"""The calls that a change causes: made once, in order, through every failure."""

import signal
from collections.abc import Callable, Mapping
from threading import Event
from typing import Any

import httpx2
import psycopg
import pytest

from testkit.fake import Answer, Call, FakeNeighbour
from testkit.process import Process
from testkit.waiting import wait_for

Submit = Callable[..., dict[str, Any]]
Agree = Callable[[Call], Answer]


@pytest.fixture(scope="module")
def limits() -> Mapping[str, str]:
    """Limits that end while a test waits, and not because the machine is busy."""
    return {
        "CALL_TIMEOUT_SECONDS": "3",
        "OUTBOX_LEASE_SECONDS": "6",
    }


def decide(client: httpx2.Client, proposal: dict[str, Any], decision: str) -> None:
    answer = client.post(f"/proposals/{proposal['id']}/decision", json={"decision": decision})
    assert answer.status_code == 200


def deliveries(client: httpx2.Client, proposal: dict[str, Any]) -> dict[str, dict[str, Any]]:
    answer = client.get("/deliveries", params={"proposal_id": proposal["id"]})
    return {each["kind"]: each for each in answer.json()["items"]}


def wait_for_state(
    client: httpx2.Client, proposal: dict[str, Any], kind: str, state: str
) -> dict[str, Any]:
    def found() -> dict[str, Any] | None:
        delivery = deliveries(client, proposal).get(kind)
        return delivery if delivery and delivery["state"] == state else None

    return wait_for(found, f"the delivery {kind} to be {state}")


def unavailable(_: Call) -> Answer:
    return Answer(503, {"type": "urn:problem:unavailable", "detail": "unavailable"})


def test_submission_is_confirmed_with_a_link_that_works(
    client: httpx2.Client, submit: Submit, email: FakeNeighbour
) -> None:
    proposal = submit()
    delivery = wait_for_state(client, proposal, "received", "delivered")
    (call,) = email.calls
    assert (call.method, call.path) == ("POST", "/emails")
    assert call.headers["idempotency-key"] == f"{delivery['id']}:1"
    assert call.body["template"] == "proposal-received"
    assert (call.body["to"], call.body["reference"]) == ("ada@example.org", proposal["id"])
    address, _, token = call.body["data"]["link"].partition("?token=")
    assert address == f"http://site.example/proposals/{proposal['id']}"
    answer = client.get(f"/proposals/{proposal['id']}", headers={"Proposal-Token": token})
    assert answer.status_code == 200


def test_acceptance_reaches_agenda_and_speaker(
    client: httpx2.Client, submit: Submit, agenda: FakeNeighbour
) -> None:
    proposal = submit()
    decide(client, proposal, "accepted")
    wait_for_state(client, proposal, "session", "delivered")
    wait_for_state(client, proposal, "accepted", "delivered")
    (call,) = agenda.calls
    assert (call.method, call.path) == ("PUT", f"/sessions/{proposal['id']}")
    assert call.body == {
        "title": proposal["title"],
        "abstract": proposal["abstract"],
        "speaker": proposal["speaker_name"],
        "version": 2,
    }


def test_neighbour_unavailable_is_tried_again_with_the_same_key(
    client: httpx2.Client, submit: Submit, email: FakeNeighbour, agree: Agree
) -> None:
    email.answer = unavailable
    proposal = submit()
    wait_for(lambda: len(email.calls) >= 3, "three attempts")
    waiting = deliveries(client, proposal)["received"]
    assert (waiting["state"], waiting["last_error"]) == ("waiting", "503 unavailable")
    email.answer = agree
    wait_for_state(client, proposal, "received", "delivered")
    assert len({call.headers["idempotency-key"] for call in email.calls}) == 1
    assert len({str(call.body) for call in email.calls}) == 1


def test_neighbour_that_hangs_is_given_a_time_limit(
    client: httpx2.Client, submit: Submit, email: FakeNeighbour, agree: Agree
) -> None:
    held: list[Call] = []

    def hang_once(call: Call) -> Answer:
        if not held:
            held.append(call)
            wait_for(lambda: len(email.calls) > 1, "the second attempt", 20)
        return agree(call)

    email.answer = hang_once
    wait_for_state(client, submit(), "received", "delivered")
    assert len(email.calls) == 2


def test_refusal_is_given_up_and_shown_and_may_be_retried(
    client: httpx2.Client, submit: Submit, agenda: FakeNeighbour, agree: Agree
) -> None:
    agenda.answer = lambda _: Answer(409, {"type": "urn:problem:agenda-full", "detail": "full"})
    proposal = submit()
    decide(client, proposal, "accepted")
    failed = wait_for_state(client, proposal, "session", "failed")
    assert failed["last_error"] == "409 full"
    assert failed["next_attempt_at"] is None
    agenda.answer = agree
    assert client.post(f"/deliveries/{failed['id']}/retry").status_code == 202
    wait_for_state(client, proposal, "session", "delivered")


@pytest.mark.parametrize(
    "stranger",
    [Answer(200, b"<h1>Hello</h1>"), Answer(201), Answer(404, b"nobody here"), Answer(403)],
    ids=lambda answer: f"{answer.status} {answer.body}",
)
def test_answer_of_a_stranger_settles_nothing(
    client: httpx2.Client, submit: Submit, agenda: FakeNeighbour, agree: Agree, stranger: Answer
) -> None:
    agenda.answer = lambda _: stranger
    proposal = submit()
    decide(client, proposal, "accepted")
    wait_for(lambda: len(agenda.calls) >= 2, "another attempt")
    waiting = deliveries(client, proposal)["session"]
    told = f"An answer {stranger.status} that is not the service's own."
    assert (waiting["state"], waiting["last_error"]) == ("waiting", told)
    agenda.answer = agree
    wait_for_state(client, proposal, "session", "delivered")


def test_mail_that_arrived_is_sent_again_under_a_new_key(
    client: httpx2.Client, submit: Submit, email: FakeNeighbour
) -> None:
    proposal = submit()
    delivery = wait_for_state(client, proposal, "received", "delivered")
    client.post(f"/deliveries/{delivery['id']}/retry")
    wait_for(lambda: len(email.calls) == 2, "the second mail")
    keys = [call.headers["idempotency-key"] for call in email.calls]
    assert keys == [f"{delivery['id']}:1", f"{delivery['id']}:2"]


def test_withdrawal_overtakes_no_acceptance(
    client: httpx2.Client, submit: Submit, agenda: FakeNeighbour, agree: Agree
) -> None:
    agenda.answer = unavailable
    proposal = submit()
    decide(client, proposal, "accepted")
    wait_for(lambda: agenda.calls, "the first attempt")
    client.post(f"/proposals/{proposal['id']}/withdrawal")
    agenda.answer = agree
    query = {"proposal_id": proposal["id"], "state": "waiting"}
    wait_for(
        lambda: not client.get("/deliveries", params=query).json()["items"],
        "every delivery to arrive",
    )
    assert agenda.calls[-1].method == "DELETE"
    assert agenda.calls[-1].path == f"/sessions/{proposal['id']}?version=3"


def test_overtaken_call_is_history(
    client: httpx2.Client, submit: Submit, agenda: FakeNeighbour
) -> None:
    agenda.answer = lambda _: Answer(409, {"type": "urn:problem:stale-version", "detail": "old"})
    proposal = submit()
    decide(client, proposal, "accepted")
    wait_for_state(client, proposal, "session", "delivered")


def test_service_killed_during_a_call_makes_it_again_with_the_same_key(
    service: Process, client: httpx2.Client, submit: Submit, email: FakeNeighbour, agree: Agree
) -> None:
    submitted, killed = Event(), Event()

    def kill_once(call: Call) -> Answer:
        if not killed.is_set():
            submitted.wait(30)
            service.send(signal.SIGKILL)
            killed.set()
        return agree(call)

    email.answer = kill_once
    proposal = submit()
    submitted.set()
    assert killed.wait(30)
    service.start()
    wait_for_state(client, proposal, "received", "delivered")
    assert len({call.headers["idempotency-key"] for call in email.calls}) == 1
    assert len(email.calls) == 2


def test_second_replica_is_woken_by_the_first_ones_commit(
    client: httpx2.Client, submit: Submit, postgres_server: Process
) -> None:
    with psycopg.connect(postgres_server.url, autocommit=True) as listener:
        listener.execute("LISTEN deliveries")
        submit()
        assert next(listener.notifies(timeout=30)).channel == "deliveries"


def test_retry_repeated_is_one_more_mail(
    client: httpx2.Client, submit: Submit, email: FakeNeighbour
) -> None:
    delivery = wait_for_state(client, submit(), "received", "delivered")
    path, seen = f"/deliveries/{delivery['id']}/retry", {"attempts": delivery["attempts"]}
    assert client.post(path, json=seen).status_code == 202
    wait_for(lambda: len(email.calls) == 2, "the second mail")
    again = client.post(path, json=seen)
    assert (again.status_code, again.json()["type"]) == (409, "urn:problem:delivery-changed")
    assert len(email.calls) == 2


def test_mail_of_a_decision_that_no_longer_holds_is_not_sent_again(
    client: httpx2.Client, submit: Submit, email: FakeNeighbour
) -> None:
    proposal = submit()
    decide(client, proposal, "accepted")
    delivery = wait_for_state(client, proposal, "accepted", "delivered")
    client.post(f"/proposals/{proposal['id']}/withdrawal")
    wait_for_state(client, proposal, "withdrawn", "delivered")
    answer = client.post(f"/deliveries/{delivery['id']}/retry")
    assert (answer.status_code, answer.json()["state"]) == (409, "withdrawn")


def test_neighbour_that_hangs_does_not_hold_up_the_other(
    client: httpx2.Client,
    submit: Submit,
    agenda: FakeNeighbour,
    email: FakeNeighbour,
    agree: Agree,
) -> None:
    released: list[bool] = []

    def hang(call: Call) -> Answer:
        wait_for(lambda: released, "the end of the test", 60)
        return agree(call)

    email.answer = hang
    many = [submit() for _ in range(20)]
    wait_for(lambda: len(email.calls) >= 8, "every place for mails to be taken")
    decide(client, many[0], "accepted")
    wait_for(lambda: agenda.calls, "the session to be told")
    released.append(True)


def test_outbox_goes_on_after_a_failover_left_it_on_a_standby(
    service: Process,
    client: httpx2.Client,
    submit: Submit,
    email: FakeNeighbour,
    agree: Agree,
    postgres_server: Process,
) -> None:
    def read_only(switch: str) -> None:
        with psycopg.connect(postgres_server.url, autocommit=True) as connection:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute(
                f"ALTER SYSTEM SET default_transaction_read_only = {switch}".encode()
            )
            connection.execute("SELECT pg_reload_conf()")

    email.answer = unavailable
    proposal = submit()
    wait_for(lambda: email.calls, "the first attempt")
    read_only("on")
    try:
        always_open = {"opens_at": None, "closes_at": None}
        wait_for(
            lambda: client.put("/cfp", json=always_open).status_code == 503,
            "the database to refuse",
        )
        before = len(service.log_text())
        wait_for(lambda: "waits for the database" in service.log_text()[before:], "the outbox")
    finally:
        read_only("off")
    email.answer = agree
    wait_for_state(client, proposal, "received", "delivered")
