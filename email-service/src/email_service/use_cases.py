"""The use cases of email-service: send a mail once, and list what was sent."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import structlog
from prometheus_client import Counter

from email_service.clients import Relay
from email_service.domain import (
    LedgerEntry,
    Mail,
    MailRequest,
    RecipientRefusedError,
    RelayUnavailableError,
    SendingNowError,
    mark_sent,
    new_entry,
    redact_reply,
)
from email_service.rendering import TEMPLATES, Renderer, validate_data
from email_service.store import Ledger, LedgerUnavailableError

_RECORD_PAUSE_SECONDS = 0.5

MAILS = Counter("mails_total", "Mails by what became of an attempt", ["template", "outcome"])
for _template in TEMPLATES:
    for _outcome in ("sent", "failed", "refused"):
        # All series exist from the start: Prometheus sees no increase in one that begins with 1.
        MAILS.labels(_template, _outcome)

log = structlog.get_logger()


class PendingRecords:
    """The background tasks that write into the ledger, as soon as it can, what was sent already.

    As a context manager it cancels at the end those that are left.
    """

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._tasks

    def add(self, key: str, record: Coroutine[Any, Any, None]) -> None:
        """Run `record` in the background; `key` is contained until it has ended."""
        task = asyncio.create_task(record)
        self._tasks[key] = task
        task.add_done_callback(lambda _: self._tasks.pop(key))

    async def __aenter__(self) -> "PendingRecords":
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def send_email(
    ledger: Ledger,
    relay: Relay,
    renderer: Renderer,
    pending: PendingRecords,
    key: str,
    request: MailRequest,
) -> LedgerEntry:
    """Send a mail unless it was sent under this key before, and return its ledger entry.

    In order: claim the key in the ledger, hand the mail to the relay, record that it was sent.
    Raise the errors of `email_service.domain`, or LedgerUnavailableError; after each of them the
    caller may try again with the same key.
    """
    request = replace(request, data=validate_data(request.template, request.data))
    mail = renderer.render(request.template, request.data)
    entry = new_entry(key, request)
    fingerprint = request.fingerprint()
    owner = uuid4().hex
    if key in pending:
        raise SendingNowError
    if (before := await ledger.claim(entry, fingerprint, owner)) is not None:
        return before
    await _deliver(ledger, relay, entry, owner, request.to, mail)
    MAILS.labels(request.template, "sent").inc()
    _log("email sent", entry)
    sent = mark_sent(entry, datetime.now(UTC))
    await _record(ledger, pending, sent, fingerprint)
    return sent


async def list_emails(ledger: Ledger, reference: str) -> list[LedgerEntry]:
    """Return the newest ledger entries under a reference, at most 100."""
    return await ledger.list_entries(reference)


async def _deliver(
    ledger: Ledger, relay: Relay, entry: LedgerEntry, owner: str, to: str, mail: Mail
) -> None:
    """Hand a mail to the relay; if the relay does not take it, release the claim and raise."""
    try:
        await relay.send(entry.key, to, mail)
    except (RelayUnavailableError, RecipientRefusedError) as error:
        was_refused = isinstance(error, RecipientRefusedError)
        MAILS.labels(entry.template, "refused" if was_refused else "failed").inc()
        cause = redact_reply(str(error.__cause__))
        _log("email not sent", entry, reason=str(error), cause=cause)
        await _release(ledger, entry, owner)
        raise


async def _release(ledger: Ledger, entry: LedgerEntry, owner: str) -> None:
    try:
        await ledger.release(entry, owner)
    except LedgerUnavailableError:
        # The relay's answer matters more to the caller; the lease ends by itself.
        _log("claim not released", entry)


async def _record(
    ledger: Ledger, pending: PendingRecords, sent: LedgerEntry, fingerprint: str
) -> None:
    """Record a sent mail, or raise SendingNowError and go on trying in the background."""
    try:
        await ledger.record(sent, fingerprint)
    except LedgerUnavailableError as error:
        # The mail is sent, and only this process knows. An answer that says so would be wrong if
        # the process ended now; a caller that repeats the request learns it once the ledger does.
        _log("sent but not recorded yet", sent)
        pending.add(sent.key, _record_later(ledger, sent, fingerprint))
        raise SendingNowError from error


async def _record_later(ledger: Ledger, sent: LedgerEntry, fingerprint: str) -> None:
    while True:
        await asyncio.sleep(_RECORD_PAUSE_SECONDS)
        try:
            await ledger.record(sent, fingerprint)
        except LedgerUnavailableError:
            continue
        _log("recorded at last", sent)
        return


def _log(event: str, entry: LedgerEntry, **more: Any) -> None:
    log.info(
        event,
        to=entry.to_masked,
        template=entry.template,
        reference=entry.reference,
        key=entry.key,
        **more,
    )
