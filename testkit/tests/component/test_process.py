"""Processes of tests: started, frozen, killed, started again, and what is said when they fail."""

import signal
import sys
from pathlib import Path

import pytest

from testkit.ports import free_port
from testkit.process import Process, Program, answers, begun, refusal, running


def python(*arguments: str, port: int = 0) -> Program:
    url = f"http://127.0.0.1:{port}"
    return Program(
        name="program",
        command=[sys.executable, *arguments],
        is_ready=lambda: answers(f"{url}/"),
        url=url,
    )


def script(code: str) -> Program:
    return python("-c", code)


@pytest.fixture
def web_server(tmp_path: Path) -> Program:
    port = free_port()
    place = ("--bind", "127.0.0.1", "--directory", str(tmp_path))
    return python("-m", "http.server", str(port), *place, port=port)


def test_process_that_was_killed_can_be_started_again(web_server: Program, tmp_path: Path) -> None:
    with running(web_server, tmp_path) as process:
        first = process.pid
        process.send(signal.SIGKILL)
        assert not web_server.is_ready()
        process.start()
        assert process.pid != first
        assert web_server.is_ready()


def test_process_that_is_frozen_stops_all_the_same(web_server: Program, tmp_path: Path) -> None:
    with running(web_server, tmp_path) as process:
        process.send(signal.SIGSTOP)
        assert not web_server.is_ready()
        process.stop()


def test_process_that_ends_at_its_start_fails_the_test_with_what_it_said(tmp_path: Path) -> None:
    process = Process(script("raise SystemExit('no settings')"), tmp_path)
    with pytest.raises(AssertionError, match=r"(?s)program ended:.*no settings"):
        process.start()


def test_process_that_ends_by_itself_has_its_exit_code(tmp_path: Path) -> None:
    with begun(script("raise SystemExit(3)"), tmp_path) as process:
        assert process.end() == 3


def test_refusal_is_what_a_program_says_that_does_not_start() -> None:
    assert refusal(script("raise SystemExit('Set PORT.')")) == "Set PORT.\n"


def test_refusal_fails_the_test_if_the_program_ends_well() -> None:
    with pytest.raises(AssertionError):
        refusal(script("pass"))
