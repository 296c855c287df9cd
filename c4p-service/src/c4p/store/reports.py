"""The reports of the consistency job, in PostgreSQL."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, select
from sqlalchemy.dialects.postgresql import insert as upsert

from c4p.store.database import Transaction
from c4p.store.tables import consistency_reports

KEPT_REPORTS = 20

_columns = consistency_reports.c
_NEWEST_FIRST = select(consistency_reports).order_by(_columns.checked_at.desc())
_NEWEST_COMPLETE = _NEWEST_FIRST.where(_columns.complete).limit(1)


@dataclass(frozen=True, slots=True)
class Report:
    """The findings of one run of the consistency job; `complete` if it could ask every service."""

    id: UUID
    checked_at: datetime
    complete: bool
    findings: Sequence[Mapping[str, Any]]


async def list_newest(transaction: Transaction) -> Sequence[Report]:
    """Return the newest reports, at most KEPT_REPORTS, the newest first."""
    rows = await transaction.connection.execute(_NEWEST_FIRST.limit(KEPT_REPORTS))
    return [_report(row) for row in rows]


async def find_newest_complete(transaction: Transaction) -> Report | None:
    """Return the newest report for which every service could be asked."""
    row = (await transaction.connection.execute(_NEWEST_COMPLETE)).one_or_none()
    return _report(row) if row else None


async def save(transaction: Transaction, report: Report) -> None:
    """Write a report over an earlier one with its id, and delete all but the newest."""
    values = asdict(report)
    await transaction.connection.execute(
        upsert(consistency_reports)
        .values(values)
        .on_conflict_do_update(index_elements=["id"], set_=values)
    )
    kept = select(_columns.id).order_by(_columns.checked_at.desc()).limit(KEPT_REPORTS)
    await transaction.connection.execute(
        delete(consistency_reports).where(_columns.id.not_in(kept))
    )


def _report(row: Row[Any]) -> Report:
    return Report(row.id, row.checked_at, row.complete, row.findings)
