"""The plan of faults, which process suffers which and when: a pure function of the seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

TARGETS = (
    *("frontend", "c4p-service", "agenda-service", "email-service", "consistency-job"),
    *("postgres", "valkey", "relay", "second c4p-service"),
)
SHORTEST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 20.0
"""Between two faults of one target; the targets have theirs independently of each other."""
LONGEST_FREEZE_SECONDS = 5.0
"""Longer than every time limit under `HASTY`, so that each is seen to end."""
KILLED_SHARE = 0.75

Kind = Literal["kill", "freeze"]


@dataclass(frozen=True, slots=True)
class Fault:
    """At `at` seconds after the start, SIGKILL, or SIGSTOP and after `seconds` SIGCONT."""

    at: float
    target: str
    kind: Kind
    seconds: float = 0.0

    @property
    def end(self) -> float:
        """The time at which the target goes on, in seconds after the start."""
        return self.at + self.seconds


def plan(seed: int, seconds: float, targets: Sequence[str] = TARGETS) -> list[Fault]:
    """All faults of a run of `seconds`, in the order of time; none lasts longer than the run."""
    faults = [fault for target in targets for fault in _of(target, seed, seconds)]
    return sorted(faults, key=lambda fault: (fault.at, fault.target))


def _of(target: str, seed: int, seconds: float) -> list[Fault]:
    # One source for each target: what befalls the others does not change.
    random = Random(f"{seed} {target}")
    faults: list[Fault] = []
    at = random.uniform(0, LONGEST_PAUSE_SECONDS)
    while at < seconds:
        is_kill = random.random() < KILLED_SHARE
        freeze = random.uniform(0, LONGEST_FREEZE_SECONDS)
        fault = Fault(at, target, "kill") if is_kill else Fault(at, target, "freeze", freeze)
        if fault.end >= seconds:
            break
        faults.append(fault)
        at = fault.end + random.uniform(SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
    return faults
