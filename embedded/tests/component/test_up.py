"""`make up` and `make reset` as people run them."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil

from embedded.ports import DEFAULTS, OBSERVERS, default_or_next_free_ports
from testkit.waiting import wait_for

Wait = Callable[[list[psutil.Process]], None]
LAST_LINE = "Ctrl-C stops it"
FILLING = b"."


class Up:
    """A running `make up`."""

    def __init__(self, home: Path) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "embedded.up"],
            env=environment(home),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said = ""

    def wait_for_the_banner(self) -> None:
        assert self._child.stdout is not None
        while LAST_LINE not in self.said:
            line = self._child.stdout.readline()
            assert line, f"it ended: {self.said}"
            self.said += line

    def processes(self) -> list[psutil.Process]:
        return list(psutil.Process(self._child.pid).children(recursive=True))

    def end(self, number: signal.Signals) -> int:
        self._child.send_signal(number)
        rest, _ = self._child.communicate(timeout=60)
        self.said += rest
        return self._child.returncode


def environment(home: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "CONFERENCE_HOME": str(home)}


def run(module: str, home: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", module]
    return subprocess.run(
        command, env=environment(home), capture_output=True, text=True, check=False
    )


@contextmanager
def up(home: Path) -> Iterator[Up]:
    platform = Up(home)
    try:
        platform.wait_for_the_banner()
        yield platform
    finally:
        platform.end(signal.SIGTERM)


def fill(writer: int) -> None:
    """Write to a pipe until it takes no more."""
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writer, FILLING * 4096)
    os.set_blocking(writer, True)


def kernel_function(process: int) -> str:
    """Return in which function of the kernel a process waits."""
    return Path(f"/proc/{process}/wchan").read_text()


@contextmanager
def all_defaults_taken() -> Iterator[None]:
    """Every default port, taken by this process unless somebody else has it already."""
    with ExitStack() as holders:
        for port in DEFAULTS.values():
            holder = holders.enter_context(socket.socket())
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                holder.bind(("127.0.0.1", port))
                holder.listen()
        yield


def test_every_port_falls_back_to_one_that_is_free() -> None:
    said: list[str] = []
    with all_defaults_taken():
        ports = default_or_next_free_ports(said.append, observe=True)
    assert not set(ports.values()) & set(DEFAULTS.values())
    assert len(set(ports.values())) == len(DEFAULTS)
    for name, default in DEFAULTS.items():
        assert any(
            each.startswith(f"Port {default} ({name}) is taken by ")
            and each.endswith(f"; {ports[name]} is used instead.")
            for each in said
        ), name


def test_up_dodges_taken_ports_refuses_a_second_one_and_stops_cleanly(
    tmp_path: Path, wait_for_the_end: Wait
) -> None:
    home = tmp_path / "a home with 100% odd letters; #1"
    with all_defaults_taken(), up(home) as platform:
        for name, port in DEFAULTS.items():
            is_told = f"Port {port} ({name}) is taken by " in platform.said
            assert is_told == (name not in OBSERVERS), name
        # The demo finds the site, the site its neighbours, and all of them the provider.
        assert run("embedded.demo", home).returncode == 0
        assert oct((home / "secrets.json").stat().st_mode).endswith("600")

        for module in ("embedded.up", "embedded.reset"):
            refused = run(module, home)
            assert refused.returncode == 1
            assert refused.stderr.startswith("The platform already runs on http://127.0.0.1:")

        left = platform.processes()
        assert len(left) > 8
        assert platform.end(signal.SIGINT) == 0
        wait_for_the_end(left)
        assert platform.said.endswith("Stopped.\n")

    assert run("embedded.reset", home).returncode == 0
    assert not home.exists()


def test_up_that_is_stopped_in_the_middle_of_a_line_stops_cleanly(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    fill(writer)
    with all_defaults_taken(), os.fdopen(reader, "rb") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "embedded.up"],
            env=environment(tmp_path),
            stdout=writer,
            stderr=subprocess.STDOUT,
        )
        os.close(writer)
        try:
            # Its first line says which port is taken, and nobody reads it yet.
            wait_for(lambda: "write" in kernel_function(child.pid), "it waits for its reader")
        finally:
            child.send_signal(signal.SIGINT)
            said = output.read().lstrip(FILLING).decode()
    assert child.wait(timeout=60) == 0
    assert said.endswith("\nStopping …\nStopped.\n")


def test_nothing_is_left_when_up_is_killed(tmp_path: Path, wait_for_the_end: Wait) -> None:
    with up(tmp_path) as platform:
        left = platform.processes()
        platform.end(signal.SIGKILL)
        wait_for_the_end(left)


def test_reset_leaves_alone_what_it_did_not_make(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "mine.txt").write_text("mine")
    assert run("embedded.reset", tmp_path).returncode == 0
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]
