"""Routes of the record of who did what that changed no proposal."""

from uuid import UUID

from fastapi import APIRouter

from c4p.routes.dependencies import AUDITOR, ORGANIZER, Limit, StoreDep, reading
from c4p.schemas.actions import ActionListOutput, ActionOutput
from c4p.use_cases import actions

router = APIRouter()


@router.get("/actions", dependencies=[reading(ORGANIZER, AUDITOR)])
async def list_actions(
    store: StoreDep, cursor: UUID | None = None, limit: Limit = 50
) -> ActionListOutput:
    """Return who did what that changed no proposal, the newest first."""
    found, next_cursor = await actions.list_page(store, cursor, limit)
    items = [ActionOutput.of(each) for each in found]
    return ActionListOutput(items=items, next_cursor=next_cursor)
