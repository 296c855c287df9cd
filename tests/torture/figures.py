"""The figures of a run, the table that is printed, and docs/reliability.md."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.torture.faults import TARGETS
from tests.torture.injector import Injected
from tests.torture.verdict import Run, doubled, lost


@dataclass(frozen=True, slots=True)
class Course:
    """The course of a run; times in seconds."""

    seed: int
    seconds: float
    attempts: int
    retries: int
    longest_wait: float
    """The longest time from the first attempt at a request until it was acknowledged."""
    longest_silence: float
    """The longest time in which somebody waited and nobody got an acknowledgement."""
    recovery: float
    """From the last fault until everything was ready, acknowledged and delivered."""


def table(run: Run, course: Course) -> str:
    """The figures, as two tables in Markdown."""
    acknowledged = [talk for talk in run.talks if talk.id]
    twice = doubled(run.found.arrivals)
    rows = {
        "proposals submitted": f"{len(run.talks):,}",
        "of these acknowledged": f"{len(acknowledged):,}",
        "decisions acknowledged": f"{sum(len(talk.decided) for talk in run.talks):,}",
        "sessions on the agenda": f"{len(run.found.sessions):,}",
        "requests, repetitions included": f"{course.attempts:,}",
        "repetitions": f"{course.retries:,}",
        "processes killed": f"{_count(run.injected, 'kill'):,}",
        "processes frozen": f"{_count(run.injected, 'freeze'):,}",
        "longest wait for one acknowledgement": f"{course.longest_wait:.1f} s",
        "longest time without any acknowledgement": f"{course.longest_silence:.1f} s",
        "from the last fault until all was told": f"{course.recovery:.1f} s",
        "acknowledged and lost": f"{len(lost(run)):,}",
        "mails in the ledger": f"{sum(map(len, run.found.ledger.values())):,}",
        "mails that came to the relay again": f"{len(twice):,}",
    }
    what = "\n".join(f"| {name} | {figure} |" for name, figure in rows.items())
    return f"| what | figure |\n|---|---:|\n{what}\n\n{_by_target(run.injected)}"


def _by_target(injected: Sequence[Injected]) -> str:
    counts = Counter((each.target, each.kind) for each in injected)
    rows = "\n".join(
        f"| {target} | {counts[target, 'kill']} | {counts[target, 'freeze']} |"
        for target in TARGETS
    )
    return f"| target | killed | frozen |\n|---|---:|---:|\n{rows}"


def _count(injected: Sequence[Injected], kind: str) -> int:
    return sum(each.kind == kind for each in injected)


def page(run: Run, course: Course, machine: str) -> str:
    """docs/reliability.md: what is promised, and the figures of `run`, which kept it."""
    template = Path(__file__).with_name("reliability.md").read_text()
    return template.format(
        table=table(run, course), machine=machine, seed=course.seed, seconds=int(course.seconds)
    )
