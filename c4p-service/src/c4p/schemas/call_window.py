"""The bodies of requests and answers about the window in which proposals are taken."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, model_validator

from c4p.domain import Window
from c4p.schemas.fields import Input, Instant


class WindowInput(Input):
    """The bounds of the window; null is no bound."""

    opens_at: Instant | None
    closes_at: Instant | None

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if self.opens_at and self.closes_at and self.closes_at <= self.opens_at:
            raise ValueError("closes_at must be after opens_at")
        return self


class WindowOutput(BaseModel):
    """The bounds of the window, and `open` if proposals are taken now."""

    opens_at: datetime | None
    closes_at: datetime | None
    open: bool

    @classmethod
    def of(cls, window: Window, now: datetime) -> Self:
        """Return the body for `window` at `now`."""
        return cls(opens_at=window.opens_at, closes_at=window.closes_at, open=window.is_open(now))
