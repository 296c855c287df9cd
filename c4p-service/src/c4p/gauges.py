"""Gauges of what PostgreSQL holds; every replica has the same, so take the highest of them."""

import asyncio
from collections import Counter

import structlog
from prometheus_client import Gauge

from c4p.store import deliveries, proposals, reports
from c4p.store.database import Store, StoreUnavailableError, Transaction

INTERVAL_SECONDS = 5.0
"""The age that a figure may reach."""

PROPOSALS = Gauge("proposals", "Proposals by state", ["state"])
DEPTH = Gauge("outbox_waiting", "Deliveries that wait")
OLDEST = Gauge("outbox_oldest_seconds", "Age of the delivery that has waited longest, in seconds")
FINDINGS = Gauge(
    "consistency_findings",
    "What does not fit, as the newest consistency report has it",
    ["check", "repaired"],
)
CHECKED_AT = Gauge(
    "consistency_report_timestamp_seconds",
    "When the newest report that could ask every service was begun, in seconds since 1970",
)

log = structlog.get_logger()


async def run(store: Store, has_schema: asyncio.Event) -> None:
    """Measure every INTERVAL_SECONDS until cancelled, once the database has its tables.

    While the database is unavailable, the figures stay as they are.
    """
    await has_schema.wait()
    while True:
        try:
            await store.run(_measure, atomic=False)
        except StoreUnavailableError:
            pass
        except Exception as error:
            log.error("not measured", exc_info=error)
        await asyncio.sleep(INTERVAL_SECONDS)


async def _measure(transaction: Transaction) -> None:
    for state, number in (await proposals.count_by_state(transaction)).items():
        PROPOSALS.labels(state).set(number)
    waiting, oldest_seconds = await deliveries.measure_waiting(transaction)
    DEPTH.set(waiting)
    OLDEST.set(oldest_seconds)
    report = await reports.find_newest_complete(transaction)
    if report is None:
        return
    CHECKED_AT.set(report.checked_at.timestamp())
    found = Counter((each["check"], each["repaired"]) for each in report.findings)
    # Those of the report before must not stay.
    FINDINGS.clear()
    for (check, repaired), number in found.items():
        FINDINGS.labels(check, str(repaired).lower()).set(number)
