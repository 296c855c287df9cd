"""The bodies of answers about the record of actions."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel

from c4p.store.actions import RecordedAction


class ActionOutput(BaseModel):
    """An action of a person or a program; `data` says to what it was done."""

    id: UUID
    kind: str
    actor: str
    subject: str | None
    at: datetime
    data: dict[str, Any]

    @classmethod
    def of(cls, action: RecordedAction) -> Self:
        """Return the body for `action`."""
        return cls.model_validate(action, from_attributes=True)


class ActionListOutput(BaseModel):
    """Actions, the newest first; `next_cursor` is null on the last page."""

    items: list[ActionOutput]
    next_cursor: UUID | None
