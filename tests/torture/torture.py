"""`make torture`: kill and freeze the platform while it is used, and see whether anything is lost.

Exits with 1 and a sentence for each broken promise; the platform's folder is kept then.
"""

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from math import ceil
from pathlib import Path
from time import monotonic

from tests.machine import machine
from tests.resilience.haste import HASTY
from tests.resilience.support import Conference, second_c4p
from tests.torture import figures
from tests.torture.crowd import Crowd
from tests.torture.faults import TARGETS, plan
from tests.torture.figures import Course
from tests.torture.found import look
from tests.torture.injector import Injector, Own, Part
from tests.torture.talks import Talk, talk
from tests.torture.verdict import Run, judge

from embedded.platform import Platform
from testkit.backing import takes_mail
from testkit.ports import free_port
from testkit.process import Program, running
from testkit.schedule import write_schedule

TALKS_PER_SECOND = 2.0
PATIENCE_SECONDS = 90
"""How long after the last fault everything may take to be acknowledged."""


def torture(folder: Path, seed: int, seconds: float) -> tuple[Run, Course]:
    """Return what a run has done and found, on a platform of its own in `folder`."""
    talks = [talk(seed, number) for number in range(ceil(seconds * TALKS_PER_SECOND))]
    spool, port = folder / "spool.sqlite", free_port()
    env = {
        **HASTY,
        "email-service": {**HASTY["email-service"], "SMTP_PORT": str(port)},
        # What several faults in a row have delayed is still under way.
        "consistency-job": {"SETTLE_SECONDS": "60"},
    }
    schedule = write_schedule(folder / "conference.toml", len(talks))
    with ExitStack() as stack:
        relay = stack.enter_context(running(_relay(port, spool), folder))
        platform = stack.enter_context(Platform(folder, env=env, schedule=schedule))
        # Nobody uses it here.
        platform.stop("mail")
        conference = stack.enter_context(Conference(platform))
        second = stack.enter_context(running(second_c4p(platform, HASTY["c4p-service"]), folder))
        beside = {"relay": Own(relay), "second c4p-service": Own(second)}
        victims = {name: beside.get(name) or Part(platform, name) for name in TARGETS}
        injector = Injector(victims, plan(seed, seconds))
        cookies = dict(conference.client.cookies)
        crowd, last_fault = asyncio.run(
            _use(Crowd(platform.urls.site, cookies, seed), talks, injector)
        )
        conference.wait_until_settled()
        recovery = monotonic() - last_fault
        run = Run(talks, crowd.answers, injector.injected, look(conference, spool))
        attempts = len(talks) + sum(len(each.decisions) for each in talks) + crowd.retries
        return run, Course(
            seed=seed,
            seconds=seconds,
            attempts=attempts,
            retries=crowd.retries,
            longest_wait=crowd.longest_wait,
            longest_silence=crowd.longest_silence,
            recovery=recovery,
        )


async def _use(crowd: Crowd, talks: Sequence[Talk], injector: Injector) -> tuple[Crowd, float]:
    async with crowd:
        injector.start()
        await crowd.arrive(talks, TALKS_PER_SECOND)
        await asyncio.to_thread(injector.finish)
        last_fault = monotonic()
        await crowd.finish(PATIENCE_SECONDS)
        return crowd, last_fault


def _relay(port: int, spool: Path) -> Program:
    script = Path(__file__).with_name("relay.py")
    return Program(
        name="relay",
        command=[sys.executable, str(script), str(port), str(spool)],
        is_ready=lambda: takes_mail(port),
    )


def main() -> None:
    """Run once, print the figures, and say what was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300, help="how long it goes on")
    parser.add_argument("--seed", type=int, default=None, help="repeats a run's faults")
    parser.add_argument("--write", type=Path, help="a page for the figures of a run that kept all")
    given = parser.parse_args()
    seed = random.SystemRandom().randrange(1_000_000) if given.seed is None else given.seed
    print(f"seed {seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="torture-"))
    run, course = torture(folder, seed, given.seconds)
    print(figures.table(run, course))
    if broken := judge(run):
        again = f"`make torture SEED={seed} SECONDS={given.seconds:g}` repeats the faults"
        sys.exit("\n".join([*broken, f"{again}; the logs are in {folder / 'logs'}."]))
    shutil.rmtree(folder)
    if given.write:
        given.write.write_text(figures.page(run, course, machine()))


if __name__ == "__main__":
    main()
