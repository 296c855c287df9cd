"""What a change causes elsewhere: told once, in order, through every failure."""

import signal
from collections.abc import Callable
from typing import Any

import httpx2
import psycopg

from embedded.fake import Answer, Call, FakeNeighbour
from embedded.process import Process
from servicekit.testing import wait_for

Submit = Callable[..., dict[str, Any]]


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


def away(_: Call) -> Answer:
    return Answer(503, {"type": "urn:problem:unavailable", "detail": "away"})


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


def test_neighbour_away_is_tried_again_with_the_same_key(
    client: httpx2.Client, submit: Submit, email: FakeNeighbour
) -> None:
    email.answer = away
    proposal = submit()
    wait_for(lambda: len(email.calls) >= 3, "three attempts")
    waiting = deliveries(client, proposal)["received"]
    assert (waiting["state"], waiting["last_error"]) == ("waiting", "503 away")
    email.answer = lambda _: Answer(202)
    wait_for_state(client, proposal, "received", "delivered")
    assert len({call.headers["idempotency-key"] for call in email.calls}) == 1
    assert len({str(call.body) for call in email.calls}) == 1


def test_neighbour_that_hangs_is_given_a_time_limit(
    client: httpx2.Client, submit: Submit, email: FakeNeighbour
) -> None:
    held: list[Call] = []

    def hang_once(call: Call) -> Answer:
        if not held:
            held.append(call)
            wait_for(lambda: len(email.calls) > 1, "the second attempt", 20)
        return Answer(202)

    email.answer = hang_once
    wait_for_state(client, submit(), "received", "delivered")
    assert len(email.calls) == 2


def test_refusal_is_given_up_and_shown_and_may_be_retried(
    client: httpx2.Client, submit: Submit, agenda: FakeNeighbour
) -> None:
    agenda.answer = lambda _: Answer(409, {"type": "urn:problem:agenda-full", "detail": "full"})
    proposal = submit()
    decide(client, proposal, "accepted")
    failed = wait_for_state(client, proposal, "session", "failed")
    assert failed["last_error"] == "409 full"
    assert failed["next_attempt_at"] is None
    agenda.answer = lambda _: Answer(201)
    assert client.post(f"/deliveries/{failed['id']}/retry").status_code == 202
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
    client: httpx2.Client, submit: Submit, agenda: FakeNeighbour
) -> None:
    agenda.answer = away
    proposal = submit()
    decide(client, proposal, "accepted")
    wait_for(lambda: agenda.calls, "the first attempt")
    client.post(f"/proposals/{proposal['id']}/withdrawal")
    agenda.answer = lambda _: Answer(204)
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
    service: Process, client: httpx2.Client, submit: Submit, email: FakeNeighbour
) -> None:
    killed: list[Call] = []

    def kill_once(call: Call) -> Answer:
        if not killed:
            killed.append(call)
            service.send(signal.SIGKILL)
        return Answer(202)

    email.answer = kill_once
    proposal = submit()
    wait_for(lambda: killed, "the first call")
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
        assert next(listener.notifies(timeout=5)).channel == "deliveries"
