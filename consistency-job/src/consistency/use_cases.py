"""The use cases of consistency-job: check once, or again and again.

A check reads what the services say, compares it, repairs if it is told to, and reports.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from time import monotonic
from typing import NoReturn

import structlog

from consistency.checks import find_all
from consistency.clients import Services
from consistency.domain import Finding, Tolerances
from consistency.repair import repair_findings
from consistency.report import mail_report, save_report
from consistency.settings import JobSettings
from servicekit import telemetry
from servicekit.http import NeighbourUnavailableError

log = structlog.get_logger()


class Outcome(IntEnum):
    """The end of a run; the numbers are exit codes."""

    CONSISTENT = 0
    NOT_CHECKED = 2
    # Not 1, with which Python and a wrong setting end a run: such a run is worth another try.
    FINDINGS_REMAIN = 3


async def check_once(services: Services, settings: JobSettings, *, repairing: bool) -> Outcome:
    """Check, and return the outcome; the last line of the log is a sentence about it."""
    with telemetry.span("consistency check"):
        return await _check(services, settings, repairing=repairing)


async def check_repeatedly(
    seconds: float, services: Services, settings: JobSettings, *, repairing: bool
) -> NoReturn:
    """Check every so many seconds until the process ends; a run that takes longer delays the next.

    The outcome of each run is in the log.
    """
    while True:
        started = monotonic()
        await check_once(services, settings, repairing=repairing)
        await asyncio.sleep(started + seconds - monotonic())


async def _check(services: Services, settings: JobSettings, *, repairing: bool) -> Outcome:
    tolerances = Tolerances(
        settle=timedelta(seconds=settings.settle_seconds),
        stuck=timedelta(seconds=settings.stuck_seconds),
    )
    started_at = datetime.now(UTC)
    try:
        snapshot = await services.take_snapshot(tolerances)
        findings = find_all(snapshot)
        repaired: set[Finding] = set()
        if repairing and findings:
            limit_seconds = settings.repair_seconds
            repaired = await repair_findings(services, findings, tolerances, limit_seconds)
        _log_findings(findings, repaired)
        is_complete = not snapshot.ledger_error
        await save_report(services, findings, repaired, started_at, complete=is_complete)
    except NeighbourUnavailableError as error:
        await _report_failure(services, started_at, error)
        return Outcome.NOT_CHECKED
    if findings:
        link = f"{str(settings.public_url).rstrip('/')}/back-office/consistency"
        to = settings.organizers_email
        await mail_report(services, to, link, findings, repaired, started_at)
    outcome = _conclude(findings, repaired, len(snapshot.proposals), len(snapshot.sessions))
    if snapshot.ledger_error:
        log.error(f"Could not check who was mailed: {snapshot.ledger_error}.")
        return Outcome.NOT_CHECKED
    return outcome


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


async def _report_failure(
    services: Services, started_at: datetime, error: NeighbourUnavailableError
) -> None:
    try:
        await save_report(services, [], (), started_at, complete=False)
    except NeighbourUnavailableError as second:
        log.warning("the report is not kept", reason=str(second))
    log.error(f"Could not check: {error}.")


def _conclude(
    findings: list[Finding], repaired: set[Finding], proposals: int, sessions: int
) -> Outcome:
    """Log how the run ended, with the numbers of what was compared, and return the outcome."""
    compared = {"proposals": proposals, "sessions": sessions}
    remaining = len(findings) - len(repaired)
    if not findings:
        log.info("Nothing found: everything fits.", **compared)
    elif not remaining:
        log.info(f"All is repaired: {len(findings)} found.", **compared)
    else:
        log.error(f"{remaining} of {len(findings)} findings remain.", **compared)
    return Outcome.FINDINGS_REMAIN if remaining else Outcome.CONSISTENT
