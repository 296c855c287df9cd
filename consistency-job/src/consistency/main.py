"""The command `consistency-job`."""

import argparse
import asyncio
import sys

from consistency.clients import Services
from consistency.job import Outcome, run, run_every
from consistency.settings import JobSettings
from servicekit import logging, settings, telemetry
from servicekit.provider import ClientCredentials, Provider


def main() -> None:
    """Check once, or again and again; the exit code is an `Outcome`."""
    parser = argparse.ArgumentParser(description="Compare what the services say.")
    parser.add_argument("--repair", action="store_true", help="repair what can be repaired")
    parser.add_argument("--every", type=float, metavar="SECONDS", help="check until stopped")
    arguments = parser.parse_args()
    if arguments.every is not None and not arguments.every > 0:
        parser.error("--every needs a number of seconds above 0")
    job = settings.load(JobSettings)
    logging.configure("consistency-job", job.log_level)
    telemetry.configure("consistency-job", job)
    sys.exit(asyncio.run(_work(job, arguments)))


async def _work(job: JobSettings, arguments: argparse.Namespace) -> Outcome:
    urls = (str(job.c4p_url), str(job.agenda_url), str(job.email_url))
    limit = job.call_timeout_seconds
    async with Provider(job.oidc_issuer, job.oidc_discovery_url) as provider:
        secret = job.oidc_client_secret.get_secret_value()
        own = ClientCredentials(provider, job.oidc_client_id, secret, job.oidc_scope)
        async with Services(
            *urls,
            timeout_seconds=limit,
            credentials=own,
            for_email=own.scoped(job.email_scope),
        ) as services:
            return await _run(job, services, arguments)


async def _run(job: JobSettings, services: Services, arguments: argparse.Namespace) -> Outcome:
    if arguments.every is not None:
        await run_every(arguments.every, services, job, repairing=arguments.repair)
    return await run(services, job, repairing=arguments.repair)


if __name__ == "__main__":
    main()
