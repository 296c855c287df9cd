"""The repairs of findings, through the public interfaces of the services."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from time import monotonic

import structlog

from consistency.checks import SpeakerNotMailed, find_all
from consistency.clients import Services
from consistency.domain import (
    Finding,
    RemoveSession,
    Repair,
    RetryDelivery,
    Target,
    Tolerances,
)
from servicekit.http import NeighbourUnavailableError

PAUSE_SECONDS = 1.0

log = structlog.get_logger()


async def repair_findings(
    services: Services, findings: Sequence[Finding], tolerances: Tolerances, limit_seconds: float
) -> set[Finding]:
    """Repair what can be repaired; return the findings that are gone within `limit_seconds`.

    What is left undone because a service becomes unavailable is found again in the next run.
    """
    # A change that a repair has just made counts as well, however young it is.
    tolerances = replace(tolerances, settle=timedelta(0))
    deadline = monotonic() + limit_seconds
    tried = await _apply_repairs(services, findings)
    cured: set[Finding] = set()
    try:
        while cured != tried and monotonic() < deadline:
            await asyncio.sleep(PAUSE_SECONDS)
            cured |= await _find_cured(services, tried - cured, tolerances)
    except NeighbourUnavailableError as error:
        log.warning("nobody can say what else was repaired", reason=str(error))
    return cured


async def _apply_repairs(services: Services, findings: Sequence[Finding]) -> set[Finding]:
    """Apply each repair once; return the findings whose repair was applied.

    Two findings may have the same repair, and no mail may be sent again twice.
    """
    outcomes: dict[Repair, bool] = {}
    for finding in findings:
        if finding.repair is not None and finding.repair not in outcomes:
            outcomes[finding.repair] = await _apply(services, finding, finding.repair)
    return {each for each in findings if each.repair is not None and outcomes[each.repair]}


async def _apply(services: Services, finding: Finding, repair: Repair) -> bool:
    bound = log.bind(check=finding.check, subject=str(finding.subject))
    try:
        match repair:
            case RetryDelivery():
                applied = await _retry_delivery(services, finding, repair)
            case RemoveSession():
                applied = await _remove_session(services, repair)
    except NeighbourUnavailableError as error:
        bound.warning("could not be tried", reason=str(error))
        return False
    bound.info("tried" if applied else "left alone")
    return applied


async def _retry_delivery(services: Services, finding: Finding, repair: RetryDelivery) -> bool:
    # Read again just before: a mail that has arrived since must not be sent a second time.
    for delivery in await services.c4p.list_deliveries_of(finding.subject):
        is_safe = delivery.target is Target.AGENDA or delivery.is_safe_to_resend
        if delivery.id == repair.delivery_id and is_safe:
            return await services.c4p.retry_delivery(delivery.id)
    return False


async def _remove_session(services: Services, repair: RemoveSession) -> bool:
    if repair.version is None and await services.c4p.find_proposal(repair.proposal_id):
        return False
    await services.agenda.remove_session(repair)
    return True


async def _find_cured(
    services: Services, tried: set[Finding], tolerances: Tolerances
) -> set[Finding]:
    """Return those of `tried` that are no longer found."""
    snapshot = await services.take_partial_snapshot(
        {finding.subject for finding in tried}, tolerances
    )
    remaining = {finding.key for finding in find_all(snapshot)}
    return {
        finding
        for finding in tried
        if finding.key not in remaining
        and not (finding.check == SpeakerNotMailed.name and snapshot.ledger_error)
        and not (
            isinstance(finding.repair, RetryDelivery)
            and finding.repair.delivery_id in snapshot.waiting_delivery_ids
        )
    }
