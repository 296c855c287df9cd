"""The backing services' first start."""

from pathlib import Path

from embedded.backing import postgres
from embedded.process import running
from servicekit.testing import free_port


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
