"""The cached agenda through the agenda service's comings and goings."""

import os
import signal
import statistics
import threading
import time
from pathlib import Path

import httpx2

from testkit.waiting import wait_for

from .conftest import LIMIT_SECONDS, World, source, titles, wait_until_shown

END_SECONDS = 15
"""What the end of the process may take, unless it waits for what never comes."""


def test_agenda_goes_from_live_to_saved_and_back_to_live(world: World) -> None:
    world.agenda.show("First")
    world.start()
    client = world.client()
    wait_until_shown(client, "First")

    world.agenda.stop()
    wait_for(lambda: source(client) == "saved", "the saved agenda")
    saved = client.get("/api/sessions")
    assert titles(saved) == ["First"]
    assert saved.headers["agenda-saved-at"].startswith("20")

    world.agenda.show("First", "Second")
    world.agenda.start()
    wait_until_shown(client, "First", "Second")
    assert "agenda-saved-at" not in client.get("/api/sessions").headers
    assert source(client) in {"live", "stale"}


def test_agenda_is_stale_while_one_refresh_asks_and_answers_at_once(world: World) -> None:
    world.agenda.show("First")
    world.start(NEIGHBOUR_SECONDS="30")
    client = world.client()
    wait_for(lambda: source(client) == "live", "the live agenda")
    world.agenda.answering.clear()
    wait_for(lambda: source(client) == "stale", "the agenda to grow stale")
    started = time.monotonic()
    for _ in range(40):
        assert source(client) == "stale"
    # Far less than if each of them waited a moment.
    assert time.monotonic() - started < 5
    asked = len(world.agenda.received)
    world.agenda.show("First", "Second")
    world.agenda.answering.set()
    wait_until_shown(client, "First", "Second")
    # Forty visitors made one request; its answer may already have caused the next.
    assert [each.target for each in world.agenda.received[asked:]][:2] == ["/sessions", "/schedule"]


def test_agenda_frozen_service_becomes_saved_without_anyone_waiting(world: World) -> None:
    world.agenda.show("First")
    world.start()
    client = world.client()
    wait_for(lambda: source(client) == "live", "the live agenda")
    world.agenda.answering.clear()
    waits: list[float] = []

    def is_saved() -> bool:
        started = time.monotonic()
        found = source(client) == "saved"
        waits.append(time.monotonic() - started)
        return found

    wait_for(is_saved, "the saved agenda")
    assert max(waits) < LIMIT_SECONDS - 0.5, "somebody waited for the service"
    assert statistics.median(waits) < 0.2


def test_agenda_asks_with_the_etag_it_has(world: World) -> None:
    world.agenda.show("First")
    world.start()
    client = world.client()
    etag = client.get("/api/sessions").headers["etag"]
    wait_for(
        lambda: source(client) and "if-none-match" in world.agenda.received[-1].headers,
        "a conditional request",
    )
    assert client.get("/api/sessions").headers["etag"] == etag


def test_agenda_survives_a_restart_while_the_service_is_unavailable(world: World) -> None:
    world.agenda.show("First")
    frontend = world.start()
    wait_until_shown(world.client(), "First")
    wait_for((world.data / "agenda.json").exists, "the copy on disk")
    world.agenda.stop()
    frontend.send(signal.SIGKILL)
    frontend.start()
    answer = world.client().get("/api/sessions")
    assert (answer.headers["agenda-source"], titles(answer)) == ("saved", ["First"])
    assert world.client().get("/api/schedule").json()["timezone"] == "Europe/Berlin"


def test_agenda_ignores_a_damaged_copy(world: World) -> None:
    world.data.mkdir()
    (world.data / "agenda.json").write_bytes(b"\xff{")
    world.agenda.show("First")
    frontend = world.start()
    assert "saved agenda ignored" in frontend.log_text()
    wait_until_shown(world.client(), "First")


def test_agenda_is_served_when_it_can_not_be_saved(world: World) -> None:
    Path(world.data).write_text("a file where the folder should be")
    world.agenda.show("First")
    frontend = world.start()
    wait_until_shown(world.client(), "First")
    wait_for(lambda: "agenda not saved" in frontend.log_text(), "the warning")


def test_agenda_is_refreshed_and_the_end_comes_while_the_disk_hangs(world: World) -> None:
    world.agenda.stop()
    frontend = world.start()
    world.data.mkdir(exist_ok=True)
    # Who opens it to write waits for a reader, and none comes.
    os.mkfifo(world.data / f"agenda.json.{frontend.pid}")
    world.agenda.show("First")
    world.agenda.start()
    client = world.client()
    wait_until_shown(client, "First")
    world.agenda.show("Second")
    wait_until_shown(client, "Second")
    client.close()
    started = time.monotonic()
    frontend.stop()
    assert time.monotonic() - started < END_SECONDS


def test_agenda_cold_start_without_service_or_copy_is_a_503_problem(world: World) -> None:
    world.agenda.stop()
    world.start()
    client = world.client()
    answer = client.get("/api/sessions")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:problem:unavailable"
    assert answer.headers["retry-after"].isdigit()
    world.agenda.show("First")
    world.agenda.start()
    wait_for(lambda: client.get("/api/sessions").status_code == 200, "the agenda")


def test_agenda_cold_start_waits_for_a_slow_first_answer(world: World) -> None:
    world.agenda.stop()
    frontend = world.start(AGENDA_FRESH_SECONDS="0.001")
    wait_for(lambda: "agenda no longer live" in frontend.log_text(), "a refresh in vain")
    world.agenda.show("First")
    world.agenda.answering.clear()
    world.agenda.start()
    client = world.client()
    threading.Timer(0.3, world.agenda.answering.set).start()
    assert titles(client.get("/api/sessions")) == ["First"]


def test_agenda_refresh_does_not_hold_up_the_shutdown(world: World) -> None:
    frontend = world.start(NEIGHBOUR_SECONDS="30")
    client = world.client()
    wait_for(lambda: source(client) == "live", "the live agenda")
    world.agenda.answering.clear()
    wait_for(lambda: source(client) == "stale", "a refresh that hangs")
    client.close()
    started = time.monotonic()
    frontend.stop()
    assert time.monotonic() - started < END_SECONDS


def test_agenda_answers_are_counted_by_source(world: World) -> None:
    world.agenda.show("First")
    frontend = world.start(AGENDA_FRESH_SECONDS="60")
    client = world.client()
    wait_for(lambda: source(client) == "live", "the live agenda")

    def metrics() -> str:
        port = frontend.program.env["METRICS_PORT"]
        return httpx2.get(f"http://127.0.0.1:{port}/metrics").text

    assert 'agenda_answers_total{source="live"} 1.0' in metrics()
    # A request is counted when its answer has gone out.
    wait_for(lambda: 'route="/api/sessions"' in metrics(), "the request")
