"""What PostgreSQL holds, as metrics: every replica tells the same, so take the highest of them."""

import asyncio
from collections import Counter

import structlog
from prometheus_client import Gauge

from c4p import deliveries
from c4p.store import Store, StoreUnavailableError, Transaction

SECONDS = 5.0
"""How old a figure may be."""

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


async def run(store: Store) -> None:
    """Measure again and again until cancelled; nothing changes without a database."""
    while True:
        try:
            await store.run(_measure, atomic=False)
        except StoreUnavailableError:
            pass
        except Exception as error:
            log.error("not measured", exc_info=error)
        await asyncio.sleep(SECONDS)


async def _measure(transaction: Transaction) -> None:
    for state, number in (await transaction.counts("")).items():
        PROPOSALS.labels(state).set(number)
    waiting, oldest_seconds = await deliveries.depth(transaction)
    DEPTH.set(waiting)
    OLDEST.set(oldest_seconds)
    report = await transaction.newest_complete_report()
    if report is None:
        return
    CHECKED_AT.set(report.checked_at.timestamp())
    found = Counter((each["check"], each["repaired"]) for each in report.findings)
    # Those of the report before must not stay.
    FINDINGS.clear()
    for (check, repaired), number in found.items():
        FINDINGS.labels(check, str(repaired).lower()).set(number)
