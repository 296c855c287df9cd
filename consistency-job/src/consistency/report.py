"""The report of a run: saved for the back office, mailed to the organizers if it has findings."""

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime

import orjson
import structlog
from uuid_utils.compat import uuid7

from consistency.clients import Services
from consistency.domain import Finding
from servicekit.http import NeighbourUnavailableError

MAX_FINDINGS_BYTES = 60_000
"""The limit of a list of findings: a little less than the largest body that services take."""
MAX_FINDINGS = 200
MAX_TEXT_LENGTH = 1000
REPAIRED = "Nothing is left to do: it was repaired."

log = structlog.get_logger()


async def save_report(
    services: Services,
    findings: Sequence[Finding],
    repaired: Collection[Finding],
    checked_at: datetime,
    *,
    complete: bool,
) -> None:
    """Save the report in c4p-service, or raise NeighbourUnavailableError."""
    await services.c4p.save_report(
        {
            "id": str(uuid7()),
            "checked_at": checked_at.isoformat(),
            "complete": complete,
            "findings": limit_size(
                [{**_to_fields(each), "repaired": each in repaired} for each in findings]
            ),
        }
    )


async def mail_report(
    services: Services,
    to: str,
    link: str,
    findings: Sequence[Finding],
    repaired: Collection[Finding],
    checked_at: datetime,
) -> None:
    """Mail the findings to the organizers, each set of findings once a day (UTC).

    If email-service is unavailable that is logged, and the next run mails them.
    """
    items = [
        {**_to_fields(each), "cure": REPAIRED if each in repaired else _make_line(each.cure)}
        for each in findings
    ]
    day = checked_at.date().isoformat()
    message = {
        "template": "consistency-report",
        "to": to,
        "reference": f"consistency {day}",
        "data": {"findings": limit_size(items), "link": link},
    }
    try:
        await services.email.send_email(message, make_mail_key(findings, repaired, checked_at))
    except NeighbourUnavailableError as error:
        log.warning("the findings are not mailed", reason=str(error))


def make_mail_key(
    findings: Sequence[Finding], repaired: Collection[Finding], checked_at: datetime
) -> str:
    """Return the idempotency key: one for a day and a set of findings in any order and wording."""
    keys = sorted(f"{each.key} {each in repaired}" for each in findings)
    digest = hashlib.sha256("\n".join(keys).encode()).hexdigest()
    return f"consistency:{checked_at.date().isoformat()}:{digest[:32]}"


def _to_fields(finding: Finding) -> dict[str, str | bool]:
    return {
        "check": finding.check,
        "subject": str(finding.subject),
        "detail": _make_line(finding.detail),
        "cure": _make_line(finding.cure),
    }


def _make_line(text: str) -> str:
    printable = "".join(char if char.isprintable() else " " for char in text)
    return printable[:MAX_TEXT_LENGTH].strip()


def limit_size(items: list[dict[str, str | bool]]) -> list[dict[str, str | bool]]:
    """Return as many of `items`, from the first, as fit into a request; the log has them all."""
    size = 0
    for number, item in enumerate(items):
        size += len(orjson.dumps(item)) + 1
        if size > MAX_FINDINGS_BYTES or number == MAX_FINDINGS:
            log.warning("not all findings fit", sent=number, found=len(items))
            return items[:number]
    return items
