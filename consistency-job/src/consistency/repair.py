"""Repairs what the checks have found, through the services' public interfaces."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from time import monotonic

import structlog

from consistency.checks import NobodyMailed, find_all
from consistency.clients import Services
from consistency.domain import (
    Finding,
    Patience,
    RemoveSession,
    Repair,
    RetryDelivery,
    Target,
)
from servicekit.http import NeighbourUnavailableError

PAUSE_SECONDS = 1.0

log = structlog.get_logger()


async def repair(
    services: Services, findings: Sequence[Finding], patience: Patience, limit_seconds: float
) -> set[Finding]:
    """Do what can be done about `findings`; return those that are gone within `limit_seconds`.

    What a service that goes away meanwhile leaves undone is there in the next run.
    """
    # What was just repaired is young, and has to be looked at all the same.
    patience = replace(patience, settle=timedelta(0))
    deadline = monotonic() + limit_seconds
    tried = await _try_all(services, findings)
    cured: set[Finding] = set()
    try:
        while cured != tried and monotonic() < deadline:
            await asyncio.sleep(PAUSE_SECONDS)
            cured |= await _cured(services, tried - cured, patience)
    except NeighbourUnavailableError as error:
        log.warning("nobody can say what else was repaired", reason=str(error))
    return cured


async def _try_all(services: Services, findings: Sequence[Finding]) -> set[Finding]:
    """The findings about which something could be done."""
    # Two findings may have one repair, and a mail that was sent again must not be once more.
    outcomes: dict[Repair, bool] = {}
    for finding in findings:
        if finding.repair is not None and finding.repair not in outcomes:
            outcomes[finding.repair] = await _try(services, finding, finding.repair)
    return {each for each in findings if each.repair is not None and outcomes[each.repair]}


async def _try(services: Services, finding: Finding, what: Repair) -> bool:
    bound = log.bind(check=finding.check, subject=str(finding.subject))
    try:
        match what:
            case RetryDelivery():
                done = await _retry(services, finding, what)
            case RemoveSession():
                done = await _remove(services, what)
    except NeighbourUnavailableError as error:
        bound.warning("could not be tried", reason=str(error))
        return False
    bound.info("tried" if done else "left alone")
    return done


async def _retry(services: Services, finding: Finding, what: RetryDelivery) -> bool:
    # Asked again at the last moment: a mail that has arrived since would be sent a second time.
    for delivery in await services.c4p.deliveries_of(finding.subject):
        may_go_out = delivery.target is Target.AGENDA or delivery.may_be_mailed_again
        if delivery.id == what.delivery_id and may_go_out:
            return await services.c4p.retry(delivery.id)
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
        and not (finding.check == NobodyMailed.name and snapshot.unread)
        and not (
            isinstance(finding.repair, RetryDelivery)
            and finding.repair.delivery_id in snapshot.waiting
        )
    }
