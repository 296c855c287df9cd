"""The backing services: their first start, and what they keep."""

from pathlib import Path

import psycopg
from redis import Redis

from testkit.backing import mail_sink, postgres
from testkit.ports import free_port
from testkit.process import Process, running


def test_postgres_starts_after_a_first_start_that_was_interrupted(tmp_path: Path) -> None:
    data = tmp_path / "postgres"
    data.mkdir()
    (data / "PG_VERSION").write_text("18\n")
    (data / "base").mkdir()
    data.with_name("postgres.password").write_text("half")
    program = postgres(data, free_port())
    with running(program, tmp_path) as process:
        assert process.pid
    assert (data / "password").read_text() not in {"", "half"}


def test_valkey_writes_before_it_answers(valkey_server: Process) -> None:
    with Redis.from_url(valkey_server.url, decode_responses=True) as client:
        kept = client.config_get("append*")
    assert kept["appendonly"] == "yes"
    # Anything less has lost acknowledged writes to a SIGKILL.
    assert kept["appendfsync"] == "always"


def test_postgres_writes_before_it_answers(postgres_server: Process) -> None:
    with psycopg.connect(postgres_server.url) as connection:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            assert connection.execute(f"SHOW {name}").fetchone() == ("on",), name


def test_mail_sink_writes_to_its_own_folder_alone(tmp_path: Path) -> None:
    data = tmp_path / "mail"
    with running(mail_sink(data, free_port(), free_port()), tmp_path):
        # Else that would be in the home of whoever starts it, if they have one.
        assert {each.name for each in data.iterdir()} >= {"config.toml", "mails.sqlite"}
