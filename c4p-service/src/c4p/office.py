"""What organizers and programs run beside the proposals: the window, deliveries, reports, audit."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request

from c4p import audit, deliveries
from c4p.access import (
    AUDITOR,
    ORGANIZER,
    REPAIRER,
    Limit,
    Organizer,
    ProposalId,
    TheStore,
    acting,
    reading,
)
from c4p.clients import EmailClient, EmailList
from c4p.domain import Action, By, DeliveryState, Window
from c4p.problems import DELIVERY_CHANGED, DELIVERY_NOT_FOUND, WRONG_STATE
from c4p.schemas import (
    ActionOutput,
    ActionPage,
    DeliveryOutput,
    DeliveryPage,
    Report,
    Reports,
    RetryInput,
    WindowInput,
    WindowOutput,
)
from servicekit.http import NeighbourUnavailableError
from servicekit.problems import responses, unavailable

router = APIRouter()


async def _email(request: Request) -> EmailClient:
    email: EmailClient = request.app.state.email
    return email


@router.get("/cfp")
async def get_window(store: TheStore) -> WindowOutput:
    """When proposals are taken, and whether that is now."""
    return WindowOutput.of(await store.run(lambda tx: tx.window(), atomic=False), datetime.now(UTC))


@router.put("/cfp")
async def set_window(window: WindowInput, store: TheStore, by: Organizer) -> WindowOutput:
    """Set when proposals are taken; who set it is on record."""
    new = Window(window.opens_at, window.closes_at)
    set_to = window.model_dump(mode="json")
    await audit.recorded(store, Action.WINDOW_SET, by, set_to, lambda tx: tx.set_window(new))
    return WindowOutput.of(new, datetime.now(UTC))


@router.get("/deliveries", dependencies=[reading(ORGANIZER, AUDITOR)])
async def list_deliveries(
    store: TheStore,
    proposal_id: UUID | None = None,
    state: DeliveryState | None = None,
    cursor: UUID | None = None,
    limit: Limit = 50,
) -> DeliveryPage:
    """What was told and is still to be told to whom, the newest first."""
    found, next_cursor = await store.run(
        lambda tx: deliveries.page(
            tx, proposal_id=proposal_id, state=state, after=cursor, limit=limit
        ),
        atomic=False,
    )
    return DeliveryPage(items=[DeliveryOutput.of(each) for each in found], next_cursor=next_cursor)


@router.get("/proposals/{proposal_id:uuid}/emails", dependencies=[reading(ORGANIZER, AUDITOR)])
async def list_emails(
    proposal_id: ProposalId, email: Annotated[EmailClient, Depends(_email)]
) -> EmailList:
    """The newest mails about a proposal as email-service remembers them, at most 100.

    It is asked in this service's own name: a person's token would be good here and elsewhere.
    """
    try:
        return await email.about(proposal_id)
    except NeighbourUnavailableError as error:
        raise unavailable(error.neighbour) from error


@router.post(
    "/deliveries/{delivery_id:uuid}/retry",
    status_code=202,
    responses=responses(DELIVERY_NOT_FOUND, DELIVERY_CHANGED, WRONG_STATE),
)
async def retry_delivery(
    delivery_id: Annotated[UUID, Path()],
    store: TheStore,
    by: Annotated[By, Depends(acting(ORGANIZER, REPAIRER))],
    seen: RetryInput | None = None,
) -> DeliveryOutput:
    """Make a delivery due now: one that was given up, or one to be repeated on purpose.

    With the `attempts` that were seen it happens once, however often it is asked for. Who asked
    is on record.
    """
    attempts = seen.attempts if seen else None
    retried = await audit.recorded(
        store,
        Action.DELIVERY_RETRIED,
        by,
        {"delivery": str(delivery_id)},
        lambda tx: deliveries.retry(tx, delivery_id, attempts),
    )
    return DeliveryOutput.of(retried)


@router.get("/consistency-reports", dependencies=[reading(ORGANIZER, AUDITOR)])
async def list_reports(store: TheStore) -> Reports:
    """The newest reports of the consistency job, the newest first."""
    found = await store.run(lambda tx: tx.reports(), atomic=False)
    return Reports(items=[Report.model_validate(row, from_attributes=True) for row in found])


@router.put("/consistency-reports", dependencies=[reading(AUDITOR)])
async def save_report(report: Report, store: TheStore) -> Report:
    """Keep a report; sent again with the same id it replaces itself."""
    row = report.model_dump()
    await store.run(lambda tx: tx.save_report(row))
    return report


@router.get("/actions", dependencies=[reading(ORGANIZER, AUDITOR)])
async def list_actions(
    store: TheStore, cursor: UUID | None = None, limit: Limit = 50
) -> ActionPage:
    """Who did what that changed no proposal, the newest first."""
    found, next_cursor = await store.run(lambda tx: audit.page(tx, cursor, limit), atomic=False)
    items = [ActionOutput.model_validate(row, from_attributes=True) for row in found]
    return ActionPage(items=items, next_cursor=next_cursor)
