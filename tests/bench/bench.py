"""`make bench`: what the platform does a second, beside a bare ASGI hello in the same run."""

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import uuid4

import httpx2
import psutil
from tests.bench import client, report
from tests.machine import machine

from embedded.platform import Platform
from embedded.signing_in import bearer_of_program, sign_in
from testkit.ports import free_port
from testkit.schedule import write_schedule
from testkit.waiting import wait_for

CONNECTIONS = 32
SIZES = (20, 200, 2000)


class Sink(BaseHTTPRequestHandler):
    """Takes traces and forgets them, so that exporting them is part of what is measured."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Read the body and say thanks."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def trace_sink() -> Iterator[str]:
    """The address of a place for traces."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def cpu_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """The processor time that each process and its children have used."""
    return {name: _cpu_seconds(psutil.Process(pid)) for name, pid in pids.items()}


def _cpu_seconds(parent: psutil.Process) -> float:
    times = [each.cpu_times() for each in (parent, *parent.children(recursive=True))]
    return float(sum(each.user + each.system for each in times))


def measure(
    name: str,
    url: str,
    next_request: Callable[[], bytes],
    pids: Mapping[str, int],
    seconds: float,
    expected: int = 200,
) -> report.Row:
    """Run one scenario, after a second to warm up."""
    client.run(url, next_request, CONNECTIONS, 1)
    before = cpu_seconds(pids)
    result = client.run(url, next_request, CONNECTIONS, seconds)
    after = cpu_seconds(pids)
    answers = len(result.latencies)
    wrong = answers - result.statuses[expected]
    row = report.Row(
        name=name,
        per_second=result.per_second,
        p50_ms=result.quantile(0.5) * 1000,
        p99_ms=result.quantile(0.99) * 1000,
        cpu_us={part: (after[part] - before[part]) / answers * 1e6 for part in pids},
        kib=result.bytes_read / answers / 1024,
        wrong=wrong,
    )
    print(report.line(row), flush=True)
    return row


def hello(seconds: float) -> report.Row:
    """The yardstick."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    script = str(Path(__file__).with_name("hello.py"))
    server = subprocess.Popen([sys.executable, script, str(port)])
    try:
        wait_for(lambda: _answers(url), "the yardstick")
        once = client.request("GET", url, {})
        return measure("bare ASGI hello", url, lambda: once, {"hello": server.pid}, seconds)
    finally:
        server.terminate()
        server.wait(10)


def _answers(url: str) -> bool:
    try:
        return httpx2.get(url).status_code == 200
    except httpx2.HTTPError:
        return False


def fill(running: Platform, numbers: range, wanted: int) -> None:
    """Put sessions on the agenda, and wait until the gateway shows `wanted`."""
    abstract = "What we learned when the first thousand people came. " * 6
    writer = bearer_of_program(running, "c4p-service")
    with httpx2.Client(base_url=running.urls.agenda, headers=writer) as session:
        for number in numbers:
            body = {
                "title": f"{number} ways to deliver software without fear",
                "abstract": abstract,
                "speaker": f"Speaker Number {number}",
                "version": 1,
            }
            session.put(f"/sessions/{uuid4()}", json=body).raise_for_status()
    address = f"{running.urls.site}/api/sessions"
    shown = lambda: len(httpx2.get(address).json()["items"]) == wanted  # noqa: E731
    wait_for(shown, f"{wanted} sessions on the public agenda", 30)


def read_agenda(running: Platform, size: int, seconds: float) -> list[report.Row]:
    """The agenda as JSON, as HTML, and unchanged."""
    pid = _pids(running, "frontend")
    site = running.urls.site
    json_url, html_url = f"{site}/api/sessions", f"{site}/agenda"
    gzip = {"Accept-Encoding": "gzip"}
    as_json = client.request("GET", json_url, gzip)
    as_html = client.request("GET", html_url, gzip)
    tag = httpx2.get(json_url, headers=gzip).headers["etag"]
    unchanged = client.request("GET", json_url, {**gzip, "If-None-Match": tag})
    return [
        measure(f"agenda JSON, {size} sessions", json_url, lambda: as_json, pid, seconds),
        measure(f"agenda HTML, {size} sessions", html_url, lambda: as_html, pid, seconds),
        measure(
            f"agenda JSON 304, {size} sessions", json_url, lambda: unchanged, pid, seconds, 304
        ),
    ]


def tracing(sink: str, seconds: float) -> list[report.Row]:
    """The same agenda from platforms that trace nothing, a tenth, and everything."""
    rows = []
    for share in (None, "0.1", "1"):
        otel = {"OTEL_EXPORTER_OTLP_ENDPOINT": sink, "OTEL_SAMPLE_RATIO": share} if share else {}
        with (
            tempfile.TemporaryDirectory() as folder,
            Platform(Path(folder), env={"frontend": otel, "agenda-service": otel}) as running,
        ):
            url = f"{running.urls.site}/api/sessions"
            once = client.request("GET", url, {"Accept-Encoding": "gzip"})
            name = f"agenda JSON, {f'{float(share):.0%} traced' if share else 'no endpoint'}"
            pid = _pids(running, "frontend")
            rows.append(measure(name, url, lambda: once, pid, seconds))  # noqa: B023
    return rows


def submissions(running: Platform, seconds: float) -> report.Row:
    """Durable submissions through the gateway, each with a key of its own."""
    url = f"{running.urls.site}/api/proposals"
    number = itertools.count()

    def next_request() -> bytes:
        body = {
            "title": f"Talk {next(number)}",
            "abstract": "What we learned when the first thousand people came. " * 6,
            "speaker_name": "Ada Lovelace",
            "speaker_email": "ada@example.org",
        }
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid4())}
        return client.request("POST", url, headers, json.dumps(body).encode())

    pids = _pids(running, "frontend", "c4p-service", "postgres", "email-service", "mail")
    return measure("submit a proposal", url, next_request, pids, seconds, 201)


def _pids(running: Platform, *names: str) -> dict[str, int]:
    return {name: running.pid(name) for name in names}


@contextmanager
def organizer(running: Platform) -> Iterator[httpx2.Client]:
    """A client that is signed in."""
    with httpx2.Client(base_url=running.urls.site, timeout=30) as session:
        sign_in(session, "Bench", running.passcode)
        yield session


def decisions(running: Platform, count: int) -> tuple[list[float], list[float]]:
    """For `count` decisions one after another: their times, and the times until on the agenda."""
    decided, published = [], []
    with organizer(running) as session:
        wait_for(lambda: _waiting(session) == 0, "earlier mails to be sent", 300)
        page = session.get("/api/proposals", params={"state": "submitted", "limit": count}).json()
        for proposal in page["items"]:
            path = f"/api/proposals/{proposal['id']}"
            started = time.perf_counter()
            answer = session.post(f"{path}/decision", json={"decision": "accepted"})
            decided.append(time.perf_counter() - started)
            assert answer.status_code == 200, answer.text
            # The agenda as visitors get it, from the cache.
            there = lambda: proposal["id"] in session.get("/api/sessions").text  # noqa: B023, E731
            wait_for(there, "the session on the agenda", pause=0.005)
            published.append(time.perf_counter() - started)
    return decided, published


def _waiting(session: httpx2.Client) -> int:
    page = session.get("/api/deliveries", params={"state": "waiting", "limit": 200})
    return len(page.json()["items"])


def main() -> None:
    """Measure everything and write the page."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=6, help="the length of each scenario")
    arguments.add_argument("--decisions", type=int, default=100, help="how many are timed")
    arguments.add_argument("--output", type=Path, default=Path("docs/benchmarks.md"))
    given = arguments.parse_args()
    rows = [hello(given.seconds)]
    with tempfile.TemporaryDirectory() as temporary, trace_sink() as sink:
        folder = Path(temporary)
        otel = {"OTEL_EXPORTER_OTLP_ENDPOINT": sink, "OTEL_SAMPLE_RATIO": "0.1"}
        names = ("frontend", "c4p-service", "agenda-service", "email-service")
        schedule = write_schedule(folder / "conference.toml", max(SIZES))
        with Platform(folder, env=dict.fromkeys(names, otel), schedule=schedule) as running:
            filled = 0
            for size in SIZES:
                there = range(filled, size)
                fill(running, there, size)
                filled = size
                rows += read_agenda(running, size, given.seconds)
            rows.append(submissions(running, given.seconds))
            _make_room(running, given.decisions)
            decided, published = decisions(running, given.decisions)
        traced = tracing(sink, given.seconds)
    text = report.page(rows, report.Decisions.of(decided, published), traced, machine())
    kept = report.kubernetes(given.output.read_text()) if given.output.exists() else ""
    given.output.write_text(f"{text}{kept}")
    print(text)


def _make_room(running: Platform, count: int) -> None:
    """Free slots on the full agenda, for the decisions to come."""
    writer = bearer_of_program(running, "c4p-service")
    with httpx2.Client(base_url=running.urls.agenda, headers=writer) as session:
        for item in session.get("/sessions").json()["items"][: count + 10]:
            session.delete(f"/sessions/{item['proposal_id']}").raise_for_status()


if __name__ == "__main__":
    main()
