"""The command `consistency-job`."""

import argparse
import asyncio
import sys

from consistency.job import Outcome, run, run_every
from consistency.lifespan import connected
from consistency.settings import JobSettings
from servicekit import logging, settings, telemetry
from servicekit.commands import end_when_told
from servicekit.http import trusted


def main() -> None:
    """Check once, or again and again; the exit code is an `Outcome`."""
    end_when_told()
    parser = argparse.ArgumentParser(description="Compare what the services say.")
    parser.add_argument("--repair", action="store_true", help="repair what can be repaired")
    parser.add_argument("--every", type=float, metavar="SECONDS", help="check until stopped")
    arguments = parser.parse_args()
    if arguments.every is not None and not arguments.every > 0:
        parser.error("--every needs a number of seconds above 0")
    job = settings.load(JobSettings)
    trusted()  # so that a wrong file ends the start before anything is asked
    logging.configure("consistency-job", job.log_level)
    telemetry.configure("consistency-job", job)
    sys.exit(asyncio.run(_work(job, repairing=arguments.repair, every=arguments.every)))


async def _work(job: JobSettings, *, repairing: bool, every: float | None) -> Outcome:
    async with connected(job) as services:
        if every is not None:
            await run_every(every, services, job, repairing=repairing)
        return await run(services, job, repairing=repairing)


if __name__ == "__main__":
    main()
