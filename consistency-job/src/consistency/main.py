"""The consistency-job program: its command line."""

import argparse
import asyncio
import sys

from consistency.lifespan import build
from consistency.settings import JobSettings
from consistency.use_cases import Outcome, check_once, check_repeatedly
from servicekit import logging, settings, telemetry
from servicekit.commands import end_when_told
from servicekit.http import trusted


def main() -> None:
    """Check once, or again and again; exit with an `Outcome`."""
    end_when_told()
    parser = argparse.ArgumentParser(description="Compare what the services say.")
    parser.add_argument("--repair", action="store_true", help="repair what can be repaired")
    parser.add_argument("--every", type=float, metavar="SECONDS", help="check until stopped")
    arguments = parser.parse_args()
    if arguments.every is not None and not arguments.every > 0:
        parser.error("--every needs a number of seconds above 0")
    job = settings.load(JobSettings)
    trusted()  # so that a wrong file ends the start before any call is made
    logging.configure("consistency-job", job.log_level)
    logging.log_start(job.service_version, job.service_source)
    telemetry.configure("consistency-job", job)
    sys.exit(asyncio.run(_run(job, repairing=arguments.repair, every=arguments.every)))


async def _run(job: JobSettings, *, repairing: bool, every: float | None) -> Outcome:
    async with build(job) as services:
        if every is not None:
            await check_repeatedly(every, services, job, repairing=repairing)
        return await check_once(services, job, repairing=repairing)


if __name__ == "__main__":
    main()
