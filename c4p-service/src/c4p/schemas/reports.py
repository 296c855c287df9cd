"""The bodies of requests and answers about the reports of the consistency job."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, Field, StrictBool

from c4p.schemas.fields import Input, Instant
from c4p.store.reports import Report
from servicekit.text import Line

Words = Annotated[Line, Field(max_length=1000)]


class FindingInput(Input):
    """One thing that does not fit, and what cures it."""

    check: Words
    subject: Words
    detail: Words
    cure: Words
    repaired: StrictBool


class ReportInput(Input):
    """The findings of one run of the consistency job; `complete` if it could ask every service."""

    id: UUID
    checked_at: Instant
    complete: StrictBool
    findings: Annotated[list[FindingInput], Field(max_length=200)]

    def report(self) -> Report:
        """Return the same for the store."""
        return Report(**self.model_dump())


class FindingOutput(BaseModel):
    """One thing that does not fit, and what cures it."""

    check: str
    subject: str
    detail: str
    cure: str
    repaired: bool


class ReportOutput(BaseModel):
    """The findings of one run of the consistency job; `complete` if it could ask every service."""

    id: UUID
    checked_at: datetime
    complete: bool
    findings: list[FindingOutput]

    @classmethod
    def of(cls, report: Report) -> Self:
        """Return the body for `report`."""
        return cls.model_validate(report, from_attributes=True)


class ReportListOutput(BaseModel):
    """The newest reports, the newest first."""

    items: list[ReportOutput]
