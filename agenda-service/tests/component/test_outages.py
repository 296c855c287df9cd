"""Valkey frozen, stopped, killed, emptied: a quick 503, and back without a restart."""

import shutil
import signal
from asyncio import gather
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic
from typing import Any

import httpx2
import pytest

from testkit.backing import valkey
from testkit.ports import free_port
from testkit.problems import problem
from testkit.process import Process, Program, running
from testkit.waiting import wait_for

LIMIT_SECONDS = 2
BOUND_SECONDS = 10
"""The service's own limit, and what this machine may need beside it when it is busy."""

Talk = Callable[..., dict[str, Any]]
NewId = Callable[[], str]


@pytest.fixture
def backing(tmp_path: Path) -> Iterator[Process]:
    """A Valkey of this test's own."""
    with running(valkey(tmp_path / "data", free_port()), tmp_path) as process:
        yield process


@pytest.fixture
def mortal(
    backing: Process,
    tmp_path: Path,
    make_agenda_service: Callable[..., Program],
    rights: Mapping[str, str],
) -> Iterator[httpx2.Client]:
    """A client of a service on `backing`."""
    program = make_agenda_service(backing.url, VALKEY_TIMEOUT_SECONDS=str(LIMIT_SECONDS))
    with (
        running(program, tmp_path) as process,
        httpx2.Client(base_url=process.url, timeout=30, headers=rights) as client,
    ):
        yield client


def assert_unavailable(client: httpx2.Client, talk: dict[str, Any]) -> None:
    """Every route that needs Valkey says so, soon; the others answer."""
    address = "/sessions/01900000-0000-7000-8000-00000000000a"
    questions: list[tuple[str, str, dict[str, Any] | None]] = [
        ("GET", "/sessions", None),
        ("GET", address, None),
        ("PUT", address, talk),
        ("PUT", f"{address}/slot", {"slot_id": "20270614T0900-main"}),
        ("DELETE", address, None),
    ]

    def ask(question: tuple[str, str, dict[str, Any] | None]) -> None:
        method, path, body = question
        started = monotonic()
        response = client.request(method, path, json=body)
        assert monotonic() - started < BOUND_SECONDS, question
        assert problem(response) == (503, "unavailable"), question
        assert int(response.headers["retry-after"]) > 0

    with ThreadPoolExecutor(len(questions)) as pool:
        list(pool.map(ask, questions))
    for path in ("/schedule", "/livez", "/readyz", "/info"):
        assert client.get(path).status_code == 200, path


def is_back(client: httpx2.Client) -> bool:
    """Return whether the list is answered."""
    return client.get("/sessions").status_code == 200


def put(client: httpx2.Client, proposal_id: str, body: dict[str, Any]) -> httpx2.Response:
    """PUT a session."""
    return client.put(f"/sessions/{proposal_id}", json=body)


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_restart_of_valkey_keeps_the_agenda(
    end: signal.Signals, mortal: httpx2.Client, backing: Process, talk: Talk, new_id: NewId
) -> None:
    kept = new_id()
    session = put(mortal, kept, talk(version=2)).json()
    tag = mortal.get("/sessions").headers["etag"]
    backing.send(end)
    assert_unavailable(mortal, talk())
    backing.start()
    # The first request already: connections that ended are made anew.
    response = mortal.get("/sessions", headers={"If-None-Match": tag})
    assert response.status_code == 304
    assert mortal.get(f"/sessions/{kept}").json() == session
    assert problem(put(mortal, kept, talk(version=1))) == (409, "stale-version")
    assert put(mortal, new_id(), talk()).status_code == 201


def test_restart_of_valkey_unnoticed_costs_no_request(
    mortal: httpx2.Client, backing: Process, talk: Talk, new_id: NewId
) -> None:
    proposal_id = new_id()
    put(mortal, proposal_id, talk())
    backing.stop()
    backing.start()
    assert put(mortal, proposal_id, talk(version=2)).status_code == 200


def test_total_loss_is_survived_without_a_restart(
    mortal: httpx2.Client, backing: Process, talk: Talk, new_id: NewId, tmp_path: Path
) -> None:
    ids = [new_id() for _ in range(3)]
    bodies = {each: talk(version=5) for each in ids}
    for proposal_id, body in bodies.items():
        put(mortal, proposal_id, body)
    before = mortal.get("/sessions")
    backing.send(signal.SIGKILL)
    shutil.rmtree(tmp_path / "data")
    (tmp_path / "data").mkdir()
    backing.start()
    emptied = mortal.get("/sessions", headers={"If-None-Match": before.headers["etag"]})
    assert (emptied.status_code, emptied.json()) == (200, {"items": []})
    # What the consistency job does: say everything again.
    for proposal_id, body in bodies.items():
        assert put(mortal, proposal_id, body).status_code == 201
    again = mortal.get("/sessions", headers={"If-None-Match": before.headers["etag"]})
    assert (again.status_code, again.json()) == (200, before.json())
    assert again.headers["etag"] != before.headers["etag"]


def test_frozen_valkey_is_unavailable_and_back(
    mortal: httpx2.Client, backing: Process, talk: Talk, new_id: NewId
) -> None:
    proposal_id = new_id()
    session = put(mortal, proposal_id, talk(version=2)).json()
    backing.send(signal.SIGSTOP)
    assert_unavailable(mortal, talk())
    backing.send(signal.SIGCONT)
    wait_for(lambda: is_back(mortal), "the list to be answered")
    assert mortal.get(f"/sessions/{proposal_id}").json() == session


async def test_frozen_valkey_keeps_nobody_waiting_in_a_crowd(
    mortal: httpx2.Client, backing: Process, talk: Talk, new_id: NewId
) -> None:
    ids = [new_id() for _ in range(30)]
    limits = httpx2.Limits(max_connections=100)
    async with httpx2.AsyncClient(
        base_url=mortal.base_url, timeout=30, limits=limits, headers=mortal.headers
    ) as crowd:
        for proposal_id in ids:
            await crowd.put(f"/sessions/{proposal_id}", json=talk())
        backing.send(signal.SIGSTOP)
        started = monotonic()
        # More than the service has connections for.
        answers = await gather(*(crowd.get(f"/sessions/{ids[n % 30]}") for n in range(100)))
        assert monotonic() - started < BOUND_SECONDS
        assert {answer.status_code for answer in answers} == {503}
        backing.send(signal.SIGCONT)
        wait_for(lambda: is_back(mortal), "the list to be answered")
        # Answers that came too late must not be taken for those of the next questions.
        answers = await gather(*(crowd.get(f"/sessions/{ids[n % 30]}") for n in range(100)))
        assert [a.json()["proposal_id"] for a in answers] == [ids[n % 30] for n in range(100)]


def test_write_that_a_frozen_valkey_makes_late_overwrites_nothing(
    mortal: httpx2.Client, backing: Process, talk: Talk, new_id: NewId
) -> None:
    changed, withdrawn = new_id(), new_id()
    for proposal_id in (changed, withdrawn):
        put(mortal, proposal_id, talk(version=1))
    backing.send(signal.SIGSTOP)
    with ThreadPoolExecutor(2) as pool:
        late = [
            pool.submit(put, mortal, each, talk(title="Late", version=2))
            for each in (changed, withdrawn)
        ]
    assert [each.result().status_code for each in late] == [503, 503]
    backing.send(signal.SIGCONT)
    wait_for(lambda: is_back(mortal), "the list to be answered")
    assert put(mortal, changed, talk(title="Newest", version=3)).status_code == 200
    gone = mortal.delete(f"/sessions/{withdrawn}", params={"version": 3})
    assert gone.status_code == 204
    assert put(mortal, withdrawn, talk(title="Late", version=2)).status_code == 409
    assert [item["title"] for item in mortal.get("/sessions").json()["items"]] == ["Newest"]
