"""Does to real processes what a plan says, each target in a thread of its own."""

import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import psutil
from tests.torture.faults import Fault, Kind

from embedded.platform import Platform
from testkit.process import Process
from testkit.waiting import wait_for

PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Injected:
    """A fault that took place; times in seconds since the epoch."""

    target: str
    kind: Kind
    begun: float
    ended: float


class Victim(Protocol):
    """A process that comes back after it was killed."""

    def kill(self) -> None:
        """SIGKILL."""

    def freeze(self) -> None:
        """SIGSTOP."""

    def thaw(self) -> None:
        """SIGCONT."""

    def wait_until_ready(self) -> None:
        """Return once it works."""


class Part:
    """A part of the platform; supervisor starts it again, and it may be killed while it starts."""

    def __init__(self, platform: Platform, name: str) -> None:
        self._platform = platform
        self._name = name

    def kill(self) -> None:
        """As soon as it runs."""
        self._once_it_runs(self._platform.kill)

    def freeze(self) -> None:
        """As soon as it runs, with its children."""
        self._once_it_runs(self._platform.freeze)

    def thaw(self) -> None:
        """With its children."""
        self._platform.thaw(self._name)

    def wait_until_ready(self) -> None:
        """As the platform sees it."""
        self._platform.wait_until_ready(self._name)

    def _once_it_runs(self, act: Callable[[str], None]) -> None:
        def has_acted() -> bool:
            # It may end by itself in between, such as a server whose port is not free yet.
            try:
                if self._platform.pid(self._name):
                    act(self._name)
                    return True
            except psutil.NoSuchProcess:
                pass
            return False

        wait_for(has_acted, f"{self._name} to run", PATIENCE_SECONDS)


class Own:
    """A process beside the platform, which is started again at once."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def kill(self) -> None:
        """Returns once it works again."""
        self._process.send(signal.SIGKILL)
        self._process.start()

    def freeze(self) -> None:
        """Without children: it has none."""
        self._process.send(signal.SIGSTOP)

    def thaw(self) -> None:
        """It finds all that has arrived meanwhile."""
        self._process.send(signal.SIGCONT)

    def wait_until_ready(self) -> None:
        """`kill` has waited already."""


class Injector:
    """Carries out a plan; `injected` grows as it does."""

    def __init__(self, victims: Mapping[str, Victim], faults: Sequence[Fault]) -> None:
        self._victims = victims
        self._threads = [
            threading.Thread(target=partial(self._torment, name, faults)) for name in victims
        ]
        self._errors: list[Exception] = []
        self.injected: list[Injected] = []

    def start(self) -> None:
        """Begin; the plan's times count from now."""
        self._started = time.monotonic()
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        """Return when all is done and everybody is ready again."""
        for thread in self._threads:
            thread.join()
        if self._errors:
            raise ExceptionGroup("faults that could not be injected", self._errors)
        for victim in self._victims.values():
            victim.wait_until_ready()

    def _torment(self, name: str, faults: Sequence[Fault]) -> None:
        try:
            for fault in faults:
                if fault.target == name:
                    self._sleep_until(fault.at)
                    self._inject(self._victims[name], fault)
        except Exception as error:  # noqa: BLE001 - raised by `finish`, in the thread that waits
            self._errors.append(error)

    def _inject(self, victim: Victim, fault: Fault) -> None:
        begun = time.time()
        if fault.kind == "kill":
            victim.kill()
        else:
            victim.freeze()
            try:
                time.sleep(fault.seconds)
            finally:
                victim.thaw()
        self.injected.append(Injected(fault.target, fault.kind, begun, time.time()))

    def _sleep_until(self, at: float) -> None:
        time.sleep(max(0.0, self._started + at - time.monotonic()))
