"""One run: ask everybody, compare, repair if told to, tell."""

import asyncio
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from time import monotonic
from typing import NoReturn

import structlog

from consistency import report
from consistency.checks import find_all
from consistency.clients import Services
from consistency.domain import Finding, Patience
from consistency.repair import repair
from consistency.settings import JobSettings
from servicekit import telemetry
from servicekit.http import NeighbourUnavailableError

log = structlog.get_logger()


class Outcome(IntEnum):
    """How a run ended; the numbers are exit codes."""

    FITS = 0
    NOT_CHECKED = 2
    # Not 1, with which Python and a wrong setting end a run: that is worth another try.
    FINDINGS_REMAIN = 3


async def run(services: Services, settings: JobSettings, *, repairing: bool) -> Outcome:
    """Check once; the last line that it logs is a sentence that says how it went."""
    with telemetry.span("consistency check"):
        return await _run(services, settings, repairing=repairing)


async def _run(services: Services, settings: JobSettings, *, repairing: bool) -> Outcome:
    patience = Patience(
        settle=timedelta(seconds=settings.settle_seconds),
        stuck=timedelta(seconds=settings.stuck_seconds),
    )
    begun_at = datetime.now(UTC)
    try:
        snapshot = await services.snapshot(patience)
        findings = find_all(snapshot)
        repaired: set[Finding] = set()
        if repairing and findings:
            repaired = await repair(services, findings, patience, settings.repair_seconds)
        _log_findings(findings, repaired)
        await report.keep(services, findings, repaired, begun_at, complete=not snapshot.unread)
    except NeighbourUnavailableError as error:
        await _tell_that_it_failed(services, begun_at, error)
        return Outcome.NOT_CHECKED
    if findings:
        link = f"{str(settings.public_url).rstrip('/')}/back-office/consistency"
        to = settings.organizers_email
        await report.mail(services, to, link, findings, repaired, begun_at)
    outcome = _conclude(findings, repaired, len(snapshot.proposals), len(snapshot.sessions))
    if snapshot.unread:
        log.error(f"Could not check who was mailed: {snapshot.unread}.")
        return Outcome.NOT_CHECKED
    return outcome


async def run_every(
    seconds: float, services: Services, settings: JobSettings, *, repairing: bool
) -> NoReturn:
    """Check every so many seconds until the process ends; a run that takes longer delays."""
    while True:
        started = monotonic()
        await run(services, settings, repairing=repairing)
        await asyncio.sleep(started + seconds - monotonic())


def _log_findings(findings: list[Finding], repaired: set[Finding]) -> None:
    for finding in findings:
        # Without its detail, which names people and their talks; the report has it.
        log.warning(
            "finding",
            check=finding.check,
            subject=str(finding.subject),
            cure=finding.cure,
            repaired=finding in repaired,
        )


async def _tell_that_it_failed(
    services: Services, begun_at: datetime, error: NeighbourUnavailableError
) -> None:
    try:
        await report.keep(services, [], (), begun_at, complete=False)
    except NeighbourUnavailableError as second:
        log.warning("the report is not kept", reason=str(second))
    log.error(f"Could not check: {error}.")


def _conclude(
    findings: list[Finding], repaired: set[Finding], proposals: int, sessions: int
) -> Outcome:
    compared = {"proposals": proposals, "sessions": sessions}
    remaining = len(findings) - len(repaired)
    if not findings:
        log.info("Nothing found: everything fits.", **compared)
    elif not remaining:
        log.info(f"All is repaired: {len(findings)} found.", **compared)
    else:
        log.error(f"{remaining} of {len(findings)} findings remain.", **compared)
    return Outcome.FINDINGS_REMAIN if remaining else Outcome.FITS
