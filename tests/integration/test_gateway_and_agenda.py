"""The gateway and its cache in front of the real agenda service."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest
from redis import Redis
from uuid_utils.compat import uuid7

from embedded.services import agenda, frontend
from testkit.issuer import Issuer
from testkit.ports import free_port
from testkit.process import Process, running
from testkit.service import PATIENT, Identities
from testkit.waiting import wait_for

Add = Callable[[str], str]

UNAVAILABLE = "http://127.0.0.1:1"
SESSION_KEY = "k" * 40


def sign_in(client: httpx2.Client, issuer: Issuer, name: str, *roles: str) -> None:
    """Let the issuer say that whoever has this browser is somebody."""
    issuer.person = {"name": name, "roles": list(roles)}
    asked = client.get("/sign-in")
    answered = client.get(asked.headers["location"])
    client.get(answered.headers["location"])


def titles(agenda: httpx2.Response) -> list[str]:
    """Return the titles that /api/sessions has answered; none while there is no agenda."""
    if agenda.status_code == 503:
        return []
    return [each["title"] for each in agenda.json()["items"]]


@pytest.fixture(scope="module")
def agenda_service(
    valkey_server: Process, folder: Path, identities: Identities
) -> Iterator[Process]:
    with Redis.from_url(valkey_server.url) as client:
        # Tests of agenda-service may have been here, and have filled its slots.
        client.flushall()
    env = PATIENT
    program = agenda(free_port(), free_port(), valkey_server.url, identities, env=env)
    with running(program, folder) as process:
        yield process


@pytest.fixture(scope="module")
def organizer(
    agenda_service: Process,
    valkey_server: Process,
    issuer: Issuer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[httpx2.Client]:
    folder = tmp_path_factory.mktemp("frontend")
    port = free_port()
    public = f"http://127.0.0.1:{port}"
    program = frontend(
        port,
        free_port(),
        urls={
            "agenda": agenda_service.url,
            "c4p": UNAVAILABLE,
            "email": UNAVAILABLE,
            "public": public,
        },
        data=folder / "data",
        valkey_url=valkey_server.url,
        session_key=SESSION_KEY,
        identities=Identities(issuer.url),
        env={**PATIENT, "AGENDA_FRESH_SECONDS": "0.1"},
    )
    with ExitStack() as stack:
        process = stack.enter_context(running(program, folder))
        client = stack.enter_context(httpx2.Client(base_url=process.url, timeout=10))
        sign_in(client, issuer, "Ada", "organizer")
        yield client


@pytest.fixture
def add(agenda_service: Process, issuer: Issuer) -> Callable[[str], str]:
    """Puts a session with this title on the agenda."""
    writer = issuer.bearer("agenda-writer")
    return lambda title: _add(agenda_service, title, writer)


def _add(service: Process, title: str, headers: Mapping[str, str]) -> str:
    proposal_id = str(uuid7())
    body = {"title": title, "abstract": "About it.", "speaker": "Ada", "version": 1}
    httpx2.put(
        f"{service.url}/sessions/{proposal_id}", json=body, headers=headers
    ).raise_for_status()
    return proposal_id


def test_gateway_shows_a_new_session_on_the_agenda(organizer: httpx2.Client, add: Add) -> None:
    proposal_id = add("A new session")
    wait_for(lambda: "A new session" in titles(organizer.get("/api/sessions")), "the session")
    session = organizer.get(f"/api/sessions/{proposal_id}").json()
    assert (session["abstract"], session["version"]) == ("About it.", 1)


def test_gateway_moves_a_session_and_says_when_the_slot_is_taken(
    organizer: httpx2.Client, add: Add
) -> None:
    first, second = add("One"), add("Two")
    slot = organizer.get(f"/api/sessions/{first}").json()["slot"]["id"]
    taken = organizer.put(f"/api/sessions/{second}/slot", json={"slot_id": slot})
    assert (taken.status_code, taken.json()["taken_by"]) == (409, first)
    free = organizer.get("/api/schedule").json()["slots"][-1]["id"]
    moved = organizer.put(f"/api/sessions/{second}/slot", json={"slot_id": free})
    assert (moved.status_code, moved.json()["slot"]["id"]) == (200, free)

    def is_shown() -> bool:
        items = organizer.get("/api/sessions").json()["items"]
        return any(each["proposal_id"] == second and each["slot"]["id"] == free for each in items)

    wait_for(is_shown, "the session in its new slot")


def test_gateway_filters_as_the_agenda_service_does(
    agenda_service: Process, organizer: httpx2.Client, add: Add
) -> None:
    add("Filtered")
    everything = httpx2.get(f"{agenda_service.url}/sessions").json()
    wait_for(lambda: organizer.get("/api/sessions").json() == everything, "the same agenda")
    for query in ("day=2027-06-14", "track=Platform", "day=2027-06-15&track=People"):
        wanted = httpx2.get(f"{agenda_service.url}/sessions?{query}").json()
        assert organizer.get(f"/api/sessions?{query}").json() == wanted


@pytest.mark.parametrize("proposal_id", ["0192f0c0-0000-7000-8000-000000000001", "not-an-id"])
def test_gateway_passes_the_services_refusals_on(
    organizer: httpx2.Client, proposal_id: str
) -> None:
    answer = organizer.get(f"/api/sessions/{proposal_id}")
    assert answer.status_code in {404, 422}
    assert answer.headers["content-type"] == "application/problem+json"
