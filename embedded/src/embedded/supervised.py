"""supervisor as a child of this process, and the words that are exchanged with it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from http.client import HTTPException
from shutil import rmtree
from typing import Any
from xmlrpc.client import Fault, ServerProxy

from supervisor.xmlrpc import SupervisorTransport

from embedded.configuration import STOP_SECONDS, configure, order, socket_file
from embedded.home import Home
from embedded.plan import Step

PAUSE_SECONDS = 0.03


class NotAnsweringError(Exception):
    """supervisor is not there, or not yet."""


@dataclass(frozen=True, slots=True)
class Status:
    """The state of one program, as supervisor sees it."""

    state: str
    """STOPPED, STARTING, RUNNING, BACKOFF, STOPPING, EXITED, FATAL or UNKNOWN."""
    pid: int
    exit_status: int


class Supervisor:
    """Runs the programs of a plan; each call raises NotAnsweringError when it is unavailable."""

    def __init__(self, home: Home, steps: Sequence[Step], lock: int) -> None:
        """Start it, with nothing running yet; it keeps the descriptor `lock` open."""
        self._home = home
        self._listens = socket_file(home)
        file = configure(home, steps, self._listens)
        self._stages = len({step.stage for step in steps})
        self._full_name = {step.name: f"{step.stage}:{step.name}" for step in steps}
        command = [sys.executable, "-I", "-m", "embedded.supervisord", "-c", str(file)]
        self._child = subprocess.Popen(  # noqa: S603 - a program of ours
            order(home, "supervisord", command, {"PATH": os.environ["PATH"]}, signal.SIGTERM),
            cwd=home.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            # A Ctrl-C reaches every process of the terminal; only this one shall act on it.
            start_new_session=True,
            # Whoever is still stopping holds the folder, even when this process was killed.
            pass_fds=[lock],
        )

    def wait(self) -> None:
        """Return when it has ended, which it does not by itself."""
        self._child.wait()

    def end(self) -> None:
        """Let it stop every program, the last stage first, and end."""
        try:
            # Sooner heard than a signal, which it looks at once a second.
            self._call("shutdown")
        except (NotAnsweringError, Fault):
            self._child.terminate()
        deadline = time.monotonic() + self._stages * (STOP_SECONDS + 5)
        while self._child.poll() is None and time.monotonic() < deadline:
            # Each question turns its loop, which otherwise looks around once a second.
            with suppress(NotAnsweringError, Fault):
                self._call("getState")
            time.sleep(PAUSE_SECONDS)
        self._child.kill()
        self._child.communicate()
        if self._listens.parent != self._home.folder:
            rmtree(self._listens.parent)

    def wait_until_it_answers(self) -> None:
        """Return when it listens."""
        while True:
            try:
                self._call("getState")
            except NotAnsweringError:
                if self._child.poll() is not None:
                    raise
                time.sleep(PAUSE_SECONDS)
            else:
                return

    def statuses(self) -> dict[str, Status]:
        """Return the states of the programs, by name."""
        return {
            info["name"]: Status(info["statename"], info["pid"], info["exitstatus"])
            for info in self._call("getAllProcessInfo")
        }

    def start(self, name: str) -> None:
        """Let it run; returns at once, and it is no error when it runs."""
        self._unless("ALREADY_STARTED", "startProcess", self._full_name[name], False)

    def stop(self, name: str) -> None:
        """Stop it and wait until it has ended; it is no error when it doesn't run."""
        self._unless("NOT_RUNNING", "stopProcess", self._full_name[name], True)

    def _unless(self, accepted: str, method: str, *arguments: str | bool) -> None:
        try:
            self._call(method, *arguments)
        except Fault as fault:
            if not fault.faultString.startswith(accepted):
                raise

    def _call(self, method: str, *arguments: str | bool) -> Any:
        # The name in the address is never looked up: the transport has its own way.
        with closing(SupervisorTransport(serverurl=f"unix://{self._listens}")) as transport:
            proxy = ServerProxy("http://localhost", transport=transport)
            try:
                return getattr(proxy.supervisor, method)(*arguments)
            except (OSError, HTTPException) as error:
                raise NotAnsweringError(f"supervisor does not answer: {error}") from error
