"""Use cases with the reports of the consistency job."""

from collections.abc import Sequence

from c4p.store import reports
from c4p.store.database import Store
from c4p.store.reports import Report


async def list_newest(store: Store) -> Sequence[Report]:
    """Return the newest reports, the newest first."""
    return await store.run(reports.list_newest, atomic=False)


async def save(store: Store, report: Report) -> None:
    """Keep a report; sent again with the same id it replaces itself."""
    await store.run(lambda tx: reports.save(tx, report))
