"""The whole platform as one thing that is started, handled part by part, and always ended."""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from embedded.home import Home, State
from embedded.plan import PROVIDERS, Step, plan
from embedded.ports import random_free_ports
from embedded.services import SCHEDULE
from embedded.supervised import Status, Supervisor
from testkit.service import Identities
from testkit.waiting import wait_for

READY_SECONDS = 180
"""Keycloak alone takes half a minute when it starts first, and more on a busy machine."""
PAUSE_SECONDS = 0.05
MOST_STARTS = 2
"""A part that has ended as often while the platform starts will not come up."""
LAST_LINES = 12


class PlatformError(Exception):
    """A part did not come up; the message names it and ends with what it last said."""


@dataclass(frozen=True, slots=True)
class Urls:
    """The addresses of the parts, each without a slash at the end."""

    site: str
    mail: str
    agenda: str
    c4p: str
    email: str
    provider: str


class Platform:
    """All services and what they need, under supervisor, in one folder.

    Names of parts: postgres, valkey, mail, development-provider, agenda-service, email-service,
    c4p-service, frontend, consistency-job. Start it from a thread that outlives it: it ends with
    that thread.
    """

    def __init__(
        self,
        folder: Path | Home,
        *,
        auth: str = "development",
        choose_ports: Callable[[], Mapping[str, int]] = random_free_ports,
        env: Mapping[str, Mapping[str, str]] | None = None,
        schedule: Path = SCHEDULE,
        observe: bool = False,
    ) -> None:
        """`env` adds to or overrides the settings of parts, by their name; to `observe` the
        platform, the parts `traces` and `prometheus` are added. `auth` is "development" or
        "keycloak", which is then a part in the place of development-provider.
        """
        self.home = folder if isinstance(folder, Home) else Home(folder)
        self.ports: Mapping[str, int] = {}
        self._auth = auth
        self._choose_ports = choose_ports
        self._env = env or {}
        self._schedule = schedule
        self._observe = observe
        self._steps: dict[str, Step] = {}
        self._frozen: dict[str, list[psutil.Process]] = {}
        self._ending = ExitStack()

    @property
    def urls(self) -> Urls:
        """The addresses of the parts, once it is up."""
        names = [each.name for each in fields(Urls)]
        return Urls(**{name: f"http://127.0.0.1:{self.ports[name]}" for name in names})

    def url(self, name: str) -> str:
        """Return where a part is reached, by its name: http://…, postgresql://… or redis://…"""
        return self._steps[name].program.url

    @property
    def identities(self) -> Identities:
        """The provider, and the programs that it knows."""
        return Identities(self.url(PROVIDERS[self._auth]), self.home.secrets().client_key)

    @property
    def passcode(self) -> str:
        """The passcode with which people sign in."""
        return self.home.secrets().passcode

    def __enter__(self) -> Self:
        self.up()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.down()

    def up(self) -> None:
        """Start everything and return when all is ready; PlatformError, and nothing runs, if not.

        HomeError when the folder is used by another platform or can't be used, KeycloakError when
        Keycloak is to be used and can't be.
        """
        self.home.prepare()
        with ExitStack() as on_failure:
            lock = on_failure.enter_context(self.home.locked())
            self.ports = self._choose_ports()
            steps = plan(
                self.home.data,
                self.ports,
                self.home.secrets(),
                auth=self._auth,
                schedule=self._schedule,
                env=self._env,
                observe=self._observe,
            )
            self._steps = {step.name: step for step in steps}
            self._supervisor = Supervisor(self.home, steps, lock)
            on_failure.callback(self._supervisor.end)
            self._start_in_order()
            self.home.announce(State(os.getpid(), self.urls.site, self._auth))
            on_failure.callback(self.home.withdraw)
            self._ending = on_failure.pop_all()

    def down(self) -> None:
        """Stop everything in the reverse order; nothing happens where nothing runs."""
        for name in list(self._frozen):
            self.thaw(name)
        self._ending.close()

    def wait(self) -> None:
        """Return when supervisor has ended, which it does not by itself."""
        self._supervisor.wait()

    def pid(self, name: str) -> int:
        """The process id of a part; 0 while it doesn't run."""
        return self._supervisor.statuses()[name].pid

    def stop(self, name: str) -> None:
        """End a part as an operator would; it stays unavailable until it is started."""
        self.thaw(name)
        self._supervisor.stop(name)

    def start(self, name: str) -> None:
        """Start a part and wait until it is ready."""
        self._supervisor.start(name)
        self.wait_until_ready(name)

    def kill(self, name: str) -> None:
        """End a part at once (SIGKILL); supervisor starts it again, see `wait_until_ready`."""
        pid = self.pid(name)
        psutil.Process(pid).kill()
        wait_for(lambda: self.pid(name) != pid, f"the end of {name}")
        self.thaw(name)

    def freeze(self, name: str) -> None:
        """Let a part stand still (SIGSTOP), with everything that it has started."""
        parent = psutil.Process(self.pid(name))
        # The parent first: it might start others while its children are gone through.
        parent.suspend()
        self._frozen[name] = [parent, *parent.children(recursive=True)]
        for child in self._frozen[name][1:]:
            # It may have ended meanwhile, as PostgreSQL's do with their connections.
            with suppress(psutil.NoSuchProcess):
                child.suspend()

    def thaw(self, name: str) -> None:
        """Let a frozen part go on; nothing happens to one that isn't frozen."""
        for process in self._frozen.pop(name, []):
            with suppress(psutil.NoSuchProcess):
                process.resume()

    def wait_until_ready(self, name: str) -> None:
        """Return when a part runs and is ready."""
        step = self._steps[name]
        wait_for(
            lambda: _is_ready(step, self._supervisor.statuses()[name]),
            f"{name} to be ready",
            READY_SECONDS,
        )

    def _start_in_order(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        self._supervisor.wait_until_it_answers()
        ready: set[str] = set()
        started: dict[str, set[int]] = {}
        while len(ready) < len(self._steps):
            statuses = self._supervisor.statuses()
            for name, step in self._steps.items():
                if name not in started and ready.issuperset(step.after):
                    self._supervisor.start(name)
                    started[name] = set()
                elif name in started and name not in ready:
                    self._check_that_it_stays(step, statuses[name], started[name])
                    if _is_ready(step, statuses[name]):
                        ready.add(name)
            if time.monotonic() > deadline:
                late = ", ".join(sorted(self._steps.keys() - ready))
                raise PlatformError(f"Not ready after {READY_SECONDS} s: {late}.")
            time.sleep(PAUSE_SECONDS)

    def _check_that_it_stays(self, step: Step, status: Status, pids: set[int]) -> None:
        pids.add(status.pid)
        failed = step.runs_once and status.state == "EXITED" and status.exit_status != 0
        if failed or status.state == "FATAL" or len(pids - {0}) > MOST_STARTS:
            raise PlatformError(f"{step.name} does not start. {self._last_words(step.name)}")

    def _last_words(self, name: str) -> str:
        log = self.home.logs / f"{name}.log"
        if not log.exists():
            return "It has said nothing."
        lines = log.read_text(errors="replace").splitlines()[-LAST_LINES:]
        return "\n".join([f"The end of {log}:", *lines])


def _is_ready(step: Step, status: Status) -> bool:
    if step.runs_once:
        return status.state == "EXITED" and status.exit_status == 0
    return status.state in {"STARTING", "RUNNING"} and step.program.is_ready()
