"""The database unavailable, frozen and back; its constraints; its migrations."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
from alembic import command
from sqlalchemy import create_engine, text

from c4p.migrate import configuration
from servicekit.commands import TERMINATED
from testkit.backing import postgres
from testkit.ports import free_port
from testkit.process import Process, Program, begun, refusal, running
from testkit.waiting import wait_for

DRAFT = {
    "title": "Outboxes",
    "abstract": "Why calls belong in tables.",
    "speaker_name": "Ada Lovelace",
    "speaker_email": "ada@example.org",
}
NOWHERE = "postgresql://a:b@127.0.0.1:1/x"
Submit = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def limits() -> Mapping[str, str]:
    """A limit for the database that ends while a test waits, and not when the machine is busy."""
    return {"DATABASE_TIMEOUT_SECONDS": "4"}


def wait_until_told(client: httpx2.Client) -> None:
    """Until no delivery is under way whose outcome the database would miss."""
    waiting = {"state": "waiting"}
    wait_for(lambda: not client.get("/deliveries", params=waiting).json()["items"], "the mail")


def assert_unavailable(answer: httpx2.Response) -> None:
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:problem:unavailable"


def test_stopped_database_is_a_503_and_comes_back_without_a_restart(
    service: Process, client: httpx2.Client, submit: Submit, postgres_server: Process
) -> None:
    before, pid = submit(), service.pid
    wait_until_told(client)
    postgres_server.stop()
    try:
        assert_unavailable(client.post("/proposals", json=DRAFT))
        assert_unavailable(client.get("/proposals"))
        assert client.get("/livez").status_code == 200
        assert client.get("/readyz").status_code == 200
    finally:
        postgres_server.start()
    assert client.get(f"/proposals/{before['id']}").json() == before
    assert client.post("/proposals", json=DRAFT).status_code == 201
    assert service.pid == pid


def test_frozen_database_is_a_503_in_time_and_comes_back(
    client: httpx2.Client, submit: Submit, postgres_server: Process
) -> None:
    before = submit()
    wait_until_told(client)
    with ThreadPoolExecutor(30) as pool:
        _signal_all(postgres_server, signal.SIGSTOP)
        try:
            answers = list(pool.map(lambda _: client.post("/proposals", json=DRAFT), range(30)))
        finally:
            _signal_all(postgres_server, signal.SIGCONT)
    for answer in answers:
        assert_unavailable(answer)
    path = f"/proposals/{before['id']}"
    wait_for(lambda: client.get(path).status_code == 200, "the database to answer again", 30)


def _signal_all(server: Process, number: signal.Signals) -> None:
    """Signal the postmaster, which might start others meanwhile, and then its backends."""
    os.kill(server.pid, number)
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    for pid in map(int, children):
        with suppress(ProcessLookupError):
            os.kill(pid, number)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE proposals SET state = 'lost'",
        "UPDATE proposals SET version = 0",
        "UPDATE proposals SET title = ''",
        "UPDATE proposals SET state = 'accepted'",
        "UPDATE deliveries SET kind = 'session'",
        "UPDATE deliveries SET state = 'delivered', next_attempt_at = NULL, delivered_at = NULL",
        "UPDATE deliveries SET state = 'waiting', next_attempt_at = NULL",
        "INSERT INTO events SELECT uuidv7(), proposal_id, 1, kind, '', at, '{}' FROM events",
        "INSERT INTO call_window VALUES (false, NULL, NULL)",
        "INSERT INTO call_window VALUES (true, now(), now() - interval '1 day')",
        "DELETE FROM proposals",
    ],
)
def test_database_refuses_what_the_code_would_forget(
    submit: Submit, postgres_server: Process, change: str
) -> None:
    submit()
    with (
        psycopg.connect(postgres_server.url) as connection,
        pytest.raises(psycopg.errors.IntegrityError),
    ):
        connection.execute(change.encode())


def test_migrations_run_at_once_do_the_work_once_and_match_the_code(folder: Path) -> None:
    with running(postgres(folder / "fresh", free_port()), folder) as server:
        env = {"PATH": os.environ["PATH"], "DATABASE_URL": server.url}
        runs = [subprocess.Popen([sys.executable, "-m", "c4p.migrate"], env=env) for _ in range(3)]
        assert [run.wait(60) for run in runs] == [0, 0, 0]
        command.check(configuration(server.url))


def test_migration_leaves_the_schema_of_a_later_version_as_it_is(folder: Path) -> None:
    with running(postgres(folder / "later", free_port()), folder) as server:
        command.upgrade(configuration(server.url), "head")
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
            env = {"PATH": os.environ["PATH"], "DATABASE_URL": server.url}
            ran = subprocess.run(
                [sys.executable, "-m", "c4p.migrate"],
                env=env,
                capture_output=True,
                text=True,
                check=False,
            )
            assert (ran.returncode, ran.stderr) == (0, "")
            assert ran.stdout.startswith("The database is of a later version")
            assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [
                ("9999",)
            ]


def test_migrations_can_go_back(folder: Path) -> None:
    with running(postgres(folder / "back", free_port()), folder) as server:
        configured = configuration(server.url)
        command.upgrade(configured, "head")
        command.downgrade(configured, "base")
        engine = create_engine(configured.attributes["url"])
        with closing(engine.connect()) as connection:
            tables = connection.execute(
                text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            )
            assert [row[0] for row in tables] == ["alembic_version"]
        engine.dispose()


def test_migration_that_waits_for_no_database_ends_with_a_sentence(
    make_migration: Callable[..., Program],
) -> None:
    said = refusal(make_migration(NOWHERE, MIGRATION_WAIT_SECONDS="0"))
    assert said.startswith("The database can't be migrated: connection failed")


def test_migration_waits_for_a_database_that_comes_later(
    folder: Path, make_migration: Callable[..., Program]
) -> None:
    server = postgres(folder / "late", free_port())
    with begun(make_migration(server.url), folder) as process:
        wait_for(lambda: "Waiting for the database" in process.log_text(), "the migration to wait")
        with running(server, folder):
            assert process.end() == 0
            command.check(configuration(server.url))


def test_migration_gives_up_on_a_database_that_never_comes(
    folder: Path, make_migration: Callable[..., Program]
) -> None:
    program = make_migration(NOWHERE, MIGRATION_WAIT_SECONDS="1")
    with begun(replace(program, name="never"), folder) as process:
        assert process.end() == 1
        waiting, sentence = process.log_text().splitlines()
    assert waiting.startswith("Waiting for the database: ")
    assert sentence.startswith("The database can't be migrated: ")
    assert re.search(r"\(gave up after \d+ s\)$", sentence)


def test_migration_under_way_ends_when_told(
    folder: Path, make_migration: Callable[..., Program]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        url = f"postgresql://a:b@127.0.0.1:{silent.getsockname()[1]}/x"
        with begun(make_migration(url), folder) as process, silent.accept()[0]:
            process.send(signal.SIGTERM)
            assert process.end() == TERMINATED


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", ""),
        ("DATABASE_URL", "mysql://x"),
        ("AGENDA_URL", "no-address"),
        ("LINK_KEY", "short"),
        ("PORT", "http"),
        ("OUTBOX_LEASE_SECONDS", "-1"),
    ],
)
def test_wrong_setting_stops_the_start_with_a_sentence(
    make_c4p_service: Callable[..., Program], name: str, value: str
) -> None:
    nowhere = "http://127.0.0.1:1"
    program = make_c4p_service(NOWHERE, agenda_url=nowhere, email_url=nowhere, **{name: value})
    (sentence,) = refusal(program).splitlines()
    assert sentence.startswith(f"The setting {name} is ")
    assert not value or value not in sentence


def test_log_has_a_line_for_each_request_and_nobody_in_it(
    service: Process, client: httpx2.Client, submit: Submit
) -> None:
    submit(speaker_name="Grace Hopper", speaker_email="grace@example.org")
    client.get("/proposals?q=Hopper")
    lines = [json.loads(line) for line in service.log_text().splitlines() if line[:1] == "{"]
    requests = [line for line in lines if line["event"] == "request"]
    assert {"method", "route", "status", "milliseconds", "service"} <= requests[-1].keys()
    assert "Hopper" not in service.log_text()
    assert "grace@" not in service.log_text()


def test_info_and_metrics_tell_what_runs(service: Process, client: httpx2.Client) -> None:
    info = client.get("/info").json()
    assert info["name"] == "c4p-service"
    assert {"version", "source", "podId", "podNamespace", "podNodeName"} < info.keys()
    port = service.program.env["METRICS_PORT"]
    counted = 'http_requests_total{method="GET",route="/info",status="200"}'
    # A request is counted when its answer has gone out.
    wait_for(lambda: counted in httpx2.get(f"http://127.0.0.1:{port}/metrics").text, "the request")
