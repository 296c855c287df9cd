"""A program, and a running instance of it that may be stopped, frozen, killed and started again."""

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from testkit.waiting import wait_for

START_SECONDS = 60
"""More than any start takes, even while others start on a busy machine."""

# A service's start is a second of work, nearly all of it the import of libraries: they are imported
# once, by a process of which the others are forks.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        *("servicekit.app", "servicekit.identity", "sqlalchemy.ext.asyncio", "psycopg"),
        *("redis.asyncio", "jinja2", "icalendar", "aiosmtplib"),
    ]
)


@dataclass(frozen=True, slots=True)
class Program:
    """A command to run in the foreground, and the way to tell that it is ready."""

    name: str
    command: Sequence[str]
    is_ready: Callable[[], bool]
    env: Mapping[str, str] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
    url: str = ""
    """Where it is reached: http://…, postgresql://… or redis://…"""

    @property
    def environment(self) -> dict[str, str]:
        """All that it sees of the environment: nothing of the caller's but PATH."""
        return {"PATH": os.environ["PATH"], **self.env}


def answers(url: str) -> bool:
    """Return whether GET `url` is a 200 within 2 seconds; light enough to be asked many times."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    with closing(HTTPConnection(parts.hostname, parts.port, timeout=2)) as connection:
        try:
            connection.request("GET", parts.path)
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False


class Process:
    """A program that runs beside this process, and not longer; its output goes to a file."""

    def __init__(self, program: Program, log_folder: Path) -> None:
        self.program = program
        self._log = log_folder / f"{program.name}.log"
        self._child: multiprocessing.process.BaseProcess | None = None

    @property
    def url(self) -> str:
        """The address at which it is reached."""
        return self.program.url

    @property
    def pid(self) -> int:
        """The process id while it runs."""
        assert self._child is not None
        assert self._child.pid is not None
        return self._child.pid

    def start(self) -> None:
        """Start it unless it runs, and wait until it is ready."""
        if not self._is_running():
            self.begin()
        what = f"{self.program.name} to be ready (see {self._log})"
        wait_for(self._is_ready, what, START_SECONDS)

    def begin(self) -> None:
        """Start it, and don't wait for anything."""
        # Here, since the log may be asked for before the process has come so far.
        self._log.touch()
        program = (self.program.command, self.program.environment, self._log)
        self._child = _FORKS.Process(target=_become, args=program, daemon=True)
        self._child.start()

    def end(self, timeout_seconds: float = START_SECONDS) -> int:
        """Its exit code, once it has ended by itself."""
        assert self._child is not None
        self._child.join(timeout_seconds)
        assert self._child.exitcode is not None, f"{self.program.name} goes on (see {self._log})"
        return self._child.exitcode

    def _is_ready(self) -> bool:
        assert self._is_running(), f"{self.program.name} ended:\n{self.log_text()}"
        return self.program.is_ready()

    def _is_running(self) -> bool:
        return self._child is not None and self._child.is_alive()

    def send(self, number: signal.Signals) -> None:
        """Send a signal: SIGSTOP freezes, SIGCONT thaws; a deadly one is waited for."""
        if self._is_running():
            os.kill(self.pid, number)
        if number in {signal.SIGKILL, signal.SIGTERM, signal.SIGINT}:
            assert self._child is not None
            self._child.join(30)
            assert not self._is_running(), f"{self.program.name} goes on after {number.name}"

    def stop(self) -> None:
        """End it as an operator would; nothing happens where it has ended."""
        if self._is_running():
            self.send(signal.SIGCONT)
            self.send(self.program.stop_signal)

    def log_text(self) -> str:
        """Everything that it has printed."""
        return self._log.read_text()


def _become(command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
    os.environ.clear()
    os.environ.update(environment)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(output, 1)
    os.dup2(output, 2)
    if command[:2] == [sys.executable, "-m"]:
        sys.argv = list(command[2:])
        runpy.run_module(command[2], run_name="__main__", alter_sys=True)
    else:
        # Python ignores it, which others would inherit.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.execvp(command[0], [*command])


@contextmanager
def running(program: Program, log_folder: Path) -> Iterator[Process]:
    """The ready process of `program`, stopped at the end."""
    process = Process(program, log_folder)
    try:
        process.start()
        yield process
    finally:
        process.stop()


@contextmanager
def begun(program: Program, log_folder: Path) -> Iterator[Process]:
    """A process of `program` that ends by itself, as a job does; at the latest it ends here."""
    process = Process(program, log_folder)
    process.begin()
    try:
        yield process
    finally:
        process.stop()


def refusal(program: Program) -> str:
    """Return what a program that refuses to start says on stderr; it must exit with 1, soon."""
    ended = subprocess.run(
        program.command,
        env=program.environment,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (1, ""), ended
    return ended.stderr
