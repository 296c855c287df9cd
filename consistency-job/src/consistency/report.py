"""Tells what was found: the back office always, the organizers by mail when there is something."""

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime

import orjson
import structlog
from uuid_utils.compat import uuid7

from consistency.clients import Services
from consistency.domain import Finding
from servicekit.http import NeighbourUnavailableError

LARGEST_BODY_BYTES = 60_000
"""A little less than what services take."""
MOST_FINDINGS = 200
LONGEST_TEXT = 1000
REPAIRED = "Nothing is left to do: it was repaired."

log = structlog.get_logger()


async def keep(
    services: Services,
    findings: Sequence[Finding],
    repaired: Collection[Finding],
    checked_at: datetime,
    *,
    complete: bool,
) -> None:
    """Keep the report in c4p-service; NeighbourUnavailableError when it can't be kept."""
    await services.c4p.save_report(
        {
            "id": str(uuid7()),
            "checked_at": checked_at.isoformat(),
            "complete": complete,
            "findings": that_fit(
                [{**_words(each), "repaired": each in repaired} for each in findings]
            ),
        }
    )


async def mail(
    services: Services,
    to: str,
    link: str,
    findings: Sequence[Finding],
    repaired: Collection[Finding],
    checked_at: datetime,
) -> None:
    """Mail the findings, each set of them once a day (UTC)."""
    words = [
        {**_words(each), "cure": REPAIRED if each in repaired else _line(each.cure)}
        for each in findings
    ]
    day = checked_at.date().isoformat()
    message = {
        "template": "consistency-report",
        "to": to,
        "reference": f"consistency {day}",
        "data": {"findings": that_fit(words), "link": link},
    }
    try:
        await services.email.send(message, mail_key(findings, repaired, checked_at))
    except NeighbourUnavailableError as error:
        log.warning("the findings are not mailed", reason=str(error))


def mail_key(
    findings: Sequence[Finding], repaired: Collection[Finding], checked_at: datetime
) -> str:
    """The idempotency key: one for a set of findings and a day, whatever their order and words."""
    keys = sorted(f"{each.key} {each in repaired}" for each in findings)
    digest = hashlib.sha256("\n".join(keys).encode()).hexdigest()
    return f"consistency:{checked_at.date().isoformat()}:{digest[:32]}"


def _words(finding: Finding) -> dict[str, str | bool]:
    return {
        "check": finding.check,
        "subject": str(finding.subject),
        "detail": _line(finding.detail),
        "cure": _line(finding.cure),
    }


def _line(text: str) -> str:
    printable = "".join(char if char.isprintable() else " " for char in text)
    return printable[:LONGEST_TEXT].strip()


def that_fit(items: list[dict[str, str | bool]]) -> list[dict[str, str | bool]]:
    """As many of `items` as a request may carry; the log has them all."""
    size = 0
    for number, item in enumerate(items):
        size += len(orjson.dumps(item)) + 1
        if size > LARGEST_BODY_BYTES or number == MOST_FINDINGS:
            log.warning("not all findings fit", sent=number, found=len(items))
            return items[:number]
    return items
