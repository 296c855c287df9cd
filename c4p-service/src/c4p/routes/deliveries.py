"""Routes of deliveries, and of the mails that came of them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path

from c4p.domain import Actor, DeliveryState
from c4p.problems import DELIVERY_CHANGED, DELIVERY_NOT_FOUND, WRONG_STATE
from c4p.routes.dependencies import (
    AUDITOR,
    ORGANIZER,
    REPAIRER,
    EmailDep,
    Limit,
    ProposalId,
    StoreDep,
    acting,
    reading,
)
from c4p.schemas.deliveries import DeliveryListOutput, DeliveryOutput, EmailListOutput, RetryInput
from c4p.use_cases import deliveries
from servicekit.http import NeighbourUnavailableError
from servicekit.problems import responses, unavailable

router = APIRouter()


@router.get("/deliveries", dependencies=[reading(ORGANIZER, AUDITOR)])
async def list_deliveries(
    store: StoreDep,
    proposal_id: UUID | None = None,
    state: DeliveryState | None = None,
    cursor: UUID | None = None,
    limit: Limit = 50,
) -> DeliveryListOutput:
    """Return deliveries, made and still to be made, the newest first."""
    found, next_cursor = await deliveries.list_page(store, proposal_id, state, cursor, limit)
    items = [DeliveryOutput.of(each) for each in found]
    return DeliveryListOutput(items=items, next_cursor=next_cursor)


@router.post(
    "/deliveries/{delivery_id:uuid}/retry",
    status_code=202,
    responses=responses(DELIVERY_NOT_FOUND, DELIVERY_CHANGED, WRONG_STATE),
)
async def retry_delivery(
    delivery_id: Annotated[UUID, Path()],
    store: StoreDep,
    actor: Annotated[Actor, Depends(acting(ORGANIZER, REPAIRER))],
    seen: RetryInput | None = None,
) -> DeliveryOutput:
    """Make a delivery due now: one that was given up, or one to be repeated on purpose.

    With the `attempts` that were seen it happens once, however often it is asked for. Who asked
    is on record.
    """
    attempts = seen.attempts if seen else None
    return DeliveryOutput.of(await deliveries.retry(store, delivery_id, attempts, actor))


@router.get("/proposals/{proposal_id:uuid}/emails", dependencies=[reading(ORGANIZER, AUDITOR)])
async def list_emails(proposal_id: ProposalId, email: EmailDep) -> EmailListOutput:
    """Return the newest mails about a proposal as email-service remembers them, at most 100.

    It is asked in this service's own name: a person's token would be good here and elsewhere.
    """
    try:
        return EmailListOutput.of(await email.list_about(proposal_id))
    except NeighbourUnavailableError as error:
        raise unavailable(error.neighbour) from error
