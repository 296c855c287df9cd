"""Repairs what the checks have found, through the services' public interfaces."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from time import monotonic

import structlog

from consistency.checks import find_all
from consistency.clients import Services
from consistency.domain import (
    Finding,
    Patience,
    RemoveSession,
    RetryDelivery,
    Target,
)
from servicekit.http import NeighbourAwayError

PAUSE_SECONDS = 1.0

log = structlog.get_logger()


async def repair(
    services: Services, findings: Sequence[Finding], patience: Patience, limit_seconds: float
) -> set[Finding]:
    """Do what can be done about `findings`; return those that are gone within `limit_seconds`.

    A service that goes away meanwhile ends the attempt: what it left is there in the next run.
    """
    # What was just repaired is young, and has to be looked at all the same.
    patience = replace(patience, settle=timedelta(0))
    deadline = monotonic() + limit_seconds
    cured: set[Finding] = set()
    try:
        tried = {finding for finding in findings if await _apply(services, finding)}
        while cured != tried and monotonic() < deadline:
            await asyncio.sleep(PAUSE_SECONDS)
            cured |= await _cured(services, tried - cured, patience)
    except NeighbourAwayError as error:
        log.warning("the repair was broken off", reason=str(error))
    return cured


async def _apply(services: Services, finding: Finding) -> bool:
    """Whether anything could be done."""
    match finding.repair:
        case RetryDelivery():
            done = await _retry(services, finding, finding.repair)
        case RemoveSession():
            done = await _remove(services, finding.repair)
        case None:
            return False
    log.info("tried" if done else "left alone", check=finding.check, subject=finding.subject)
    return done


async def _retry(services: Services, finding: Finding, what: RetryDelivery) -> bool:
    # Asked again at the last moment: a mail that has arrived since would be sent a second time.
    for delivery in await services.c4p.deliveries_of(finding.subject):
        may_go_out = delivery.target is Target.AGENDA or delivery.may_be_mailed_again
        if delivery.id == what.delivery_id and may_go_out:
            await services.c4p.retry(delivery.id)
            return True
    return False


async def _remove(services: Services, what: RemoveSession) -> bool:
    if what.version is None and await services.c4p.proposal(what.proposal_id):
        return False
    await services.agenda.remove(what)
    return True


async def _cured(services: Services, tried: set[Finding], patience: Patience) -> set[Finding]:
    snapshot = await services.part({finding.subject for finding in tried}, patience)
    still = {finding.key for finding in find_all(snapshot)}
    return {
        finding
        for finding in tried
        if finding.key not in still
        and not (
            isinstance(finding.repair, RetryDelivery)
            and finding.repair.delivery_id in snapshot.waiting
        )
    }
