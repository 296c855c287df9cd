"""The cached agenda through the agenda service's comings and goings."""

import os
import signal
import threading
import time
from pathlib import Path

import httpx2

from servicekit.testing import wait_for

from .conftest import World, source, titles, wait_until_shown


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
    world.start(NEIGHBOUR_SECONDS="5")
    client = world.client()
    wait_for(lambda: source(client) == "live", "the live agenda")
    world.agenda.answering.clear()
    wait_for(lambda: source(client) == "stale", "the agenda to grow stale")
    started = time.monotonic()
    for _ in range(20):
        assert source(client) == "stale"
    assert time.monotonic() - started < 0.5
    asked = len(world.agenda.received)
    world.agenda.show("First", "Second")
    world.agenda.answering.set()
    wait_until_shown(client, "First", "Second")
    # Twenty visitors made one request; its answer may already have caused the next.
    assert [each.target for each in world.agenda.received[asked:]][:2] == ["/sessions", "/schedule"]


def test_agenda_frozen_service_becomes_saved_without_anyone_waiting(world: World) -> None:
    world.agenda.show("First")
    world.start()
    client = world.client()
    wait_for(lambda: source(client) == "live", "the live agenda")
    world.agenda.answering.clear()
    slowest = 0.0

    def is_saved() -> bool:
        nonlocal slowest
        started = time.monotonic()
        found = source(client) == "saved"
        slowest = max(slowest, time.monotonic() - started)
        return found

    wait_for(is_saved, "the saved agenda")
    assert slowest < 0.2


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


def test_agenda_survives_a_restart_while_the_service_is_away(world: World) -> None:
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
    assert time.monotonic() - started < 4


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
    world.agenda.show("First")
    world.agenda.answering.clear()
    world.start(NEIGHBOUR_SECONDS="3")
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
    assert time.monotonic() - started < 3


def test_agenda_answers_are_counted_by_source(world: World) -> None:
    world.agenda.show("First")
    frontend = world.start(AGENDA_FRESH_SECONDS="60")
    assert source(world.client()) == "live"
    metrics_port = frontend.program.env["METRICS_PORT"]
    metrics = httpx2.get(f"http://127.0.0.1:{metrics_port}/metrics").text
    assert 'agenda_answers_total{source="live"} 1.0' in metrics
    assert 'route="/api/sessions"' in metrics
