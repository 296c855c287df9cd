"""Sending a mail once: claim the key, hand the mail to the relay, record that it went."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import structlog
from prometheus_client import Counter

from email_service.clients import Relay
from email_service.domain import (
    Entry,
    LedgerUnavailableError,
    Mail,
    Order,
    RecipientRefusedError,
    RelayUnavailableError,
    SendingNowError,
    as_sent,
    entry_of,
    harmless,
)
from email_service.rendering import DATA, Renderer, checked
from email_service.store import Ledger

_RECORD_PAUSE_SECONDS = 0.5

MAILS = Counter("mails_total", "Mails by what became of an attempt", ["template", "outcome"])
for _template in DATA:
    for _outcome in ("sent", "failed", "refused"):
        # There from the start: what appears with 1 has not grown, as Prometheus sees it.
        MAILS.labels(_template, _outcome)


class Mailroom:
    """The use cases of the service."""

    def __init__(self, ledger: Ledger, relay: Relay, renderer: Renderer) -> None:
        self._ledger = ledger
        self._relay = relay
        self._renderer = renderer
        self._unrecorded: dict[str, asyncio.Task[None]] = {}
        """Mails that are out and that the ledger does not know yet, by key."""
        self._log = structlog.get_logger()

    async def send(
        self, key: str, template: str, to: str, reference: str, data: Mapping[str, Any]
    ) -> Entry:
        """The entry of the mail once the relay has it; a mail that was sent before is not sent.

        Raises the errors of `email_service.domain`; after each the key is free to be tried again.
        """
        order = Order(template, to, reference, checked(template, data))
        mail = self._renderer.render(template, order.data)
        entry = entry_of(key, order)
        fingerprint = order.fingerprint()
        owner = uuid4().hex
        if key in self._unrecorded:
            raise SendingNowError
        if (before := await self._ledger.claim(entry, fingerprint, owner)) is not None:
            return before
        await self._hand_over(entry, owner, order.to, mail)
        MAILS.labels(template, "sent").inc()
        self._tell("email sent", entry)
        sent = as_sent(entry, datetime.now(UTC))
        await self._record(sent, fingerprint)
        return sent

    async def sent_about(self, reference: str) -> list[Entry]:
        """The newest entries under `reference`."""
        return await self._ledger.entries(reference)

    async def close(self) -> None:
        """Stop trying to record what could not be recorded."""
        tasks = list(self._unrecorded.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _hand_over(self, entry: Entry, owner: str, to: str, mail: Mail) -> None:
        try:
            await self._relay.send(entry.key, to, mail)
        except (RelayUnavailableError, RecipientRefusedError) as error:
            refused = isinstance(error, RecipientRefusedError)
            MAILS.labels(entry.template, "refused" if refused else "failed").inc()
            self._tell(
                "email not sent", entry, reason=str(error), cause=harmless(str(error.__cause__))
            )
            await self._release(entry, owner)
            raise

    async def _release(self, entry: Entry, owner: str) -> None:
        try:
            await self._ledger.release(entry, owner)
        except LedgerUnavailableError:
            # The relay's answer matters more to the caller; the lease ends by itself.
            self._tell("claim not released", entry)

    async def _record(self, sent: Entry, fingerprint: str) -> None:
        try:
            await self._ledger.record(sent, fingerprint)
        except LedgerUnavailableError as error:
            # The mail is out, and only this process knows. To call it sent would be forgotten with
            # the process; whoever repeats the request is told once the ledger knows too.
            self._tell("sent but not recorded yet", sent)
            task = asyncio.create_task(self._record_later(sent, fingerprint))
            self._unrecorded[sent.key] = task
            task.add_done_callback(lambda _: self._unrecorded.pop(sent.key))
            raise SendingNowError from error

    async def _record_later(self, sent: Entry, fingerprint: str) -> None:
        while True:
            await asyncio.sleep(_RECORD_PAUSE_SECONDS)
            try:
                await self._ledger.record(sent, fingerprint)
            except LedgerUnavailableError:
                continue
            self._tell("recorded at last", sent)
            return

    def _tell(self, event: str, entry: Entry, **more: Any) -> None:
        self._log.info(
            event,
            to=entry.to_masked,
            template=entry.template,
            reference=entry.reference,
            key=entry.key,
            **more,
        )
