"""Makes the calls that committed changes cause, however often it takes, and never twice at once.

A crash at any instant loses nothing: the row is written with the change, claimed before the call
and ended after it. It doubles nothing: the receivers know the key or the version of each call.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import psycopg
import structlog
from prometheus_client import Counter, Gauge

from c4p import deliveries
from c4p.clients import AgendaClient, EmailClient, RefusedError, TryLaterError
from c4p.domain import Delivery, State, Target, wait_seconds
from c4p.settings import OutboxSettings
from c4p.store import NOTIFY_CHANNEL, Store, StoreAwayError, Transaction
from servicekit.http import NeighbourAwayError
from servicekit.telemetry import continued_from

POLL_SECONDS = 1.0
"""How long a retry that is due may be overlooked: only new rows are notified."""

DRAIN_SECONDS = 5.0
"""How long calls may end after SIGTERM; what takes longer is made again when its lease ends."""

DEPTH = Gauge("outbox_waiting", "Deliveries that wait")
OLDEST = Gauge("outbox_oldest_seconds", "Age of the delivery that has waited longest, in seconds")
ENDED = Counter("outbox_attempts_total", "Attempts by outcome", ["target", "outcome"])

log = structlog.get_logger()


class Outbox:
    """A worker that takes deliveries that are due and makes their calls."""

    def __init__(
        self,
        store: Store,
        agenda: AgendaClient,
        email: EmailClient,
        settings: OutboxSettings,
        database_url: str,
    ) -> None:
        self._store = store
        self._agenda = agenda
        self._email = email
        self._settings = settings
        self._database_url = database_url
        self.has_schema = False
        """Whether the tables have been seen: until then nothing can be taken or told."""
        self._wake = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Work until cancelled; then let the calls that are under way end."""
        while not self.has_schema:
            self.has_schema = await self._store.has_schema()
            if not self.has_schema:
                await asyncio.sleep(POLL_SECONDS / 4)
        listener = asyncio.create_task(self._listen())
        try:
            while True:
                await self._turn()
        finally:
            listener.cancel()
            if self._under_way:
                await asyncio.wait(self._under_way, timeout=DRAIN_SECONDS)

    async def _turn(self) -> None:
        self._wake.clear()
        free = self._settings.outbox_concurrency - len(self._under_way)
        claimed = 0
        if free > 0:
            try:
                claimed = await self._start_due(free)
            except StoreAwayError as error:
                log.warning("outbox waits for the database", reason=str(error))
        if claimed == 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)

    async def _start_due(self, free: int) -> int:
        lease = self._settings.outbox_lease_seconds

        async def claim(transaction: Transaction) -> list[Delivery]:
            claimed = list(await deliveries.claim(transaction, free, lease))
            if not claimed:
                waiting, oldest_seconds = await deliveries.depth(transaction)
                DEPTH.set(waiting)
                OLDEST.set(oldest_seconds)
            return claimed

        claimed = await self._store.run(claim, atomic=False)
        for delivery in claimed:
            task = asyncio.create_task(self._deliver(delivery))
            self._under_way.add(task)
            task.add_done_callback(self._ended)
        return len(claimed)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            # The lease ends by itself, so the delivery is not lost.
            log.error("delivery broke", exc_info=error)

    async def _deliver(self, delivery: Delivery) -> None:
        with continued_from(delivery.traceparent, f"deliver {delivery.kind}"):
            bound = log.bind(
                delivery=str(delivery.id), proposal=str(delivery.proposal_id), kind=delivery.kind
            )
            try:
                await self._call(delivery)
            except (NeighbourAwayError, TryLaterError, RefusedError) as error:
                await self._failed(delivery, error, bound)
            else:
                await self._end(lambda tx: deliveries.delivered(tx, delivery))
                ENDED.labels(delivery.target, "delivered").inc()
                bound.info("delivered", attempts=delivery.attempts)

    async def _call(self, delivery: Delivery) -> None:
        if delivery.target is Target.EMAIL:
            await self._email.send(delivery)
            return
        # What the agenda is told is the state of now, not of then: the newest is always right.
        proposal = await self._store.run(lambda tx: tx.proposal(delivery.proposal_id), atomic=False)
        if proposal.state is State.ACCEPTED:
            await self._agenda.put(proposal)
        else:
            await self._agenda.remove(proposal)

    async def _failed(
        self, delivery: Delivery, error: Exception, bound: structlog.typing.FilteringBoundLogger
    ) -> None:
        settings = self._settings
        tried_for = datetime.now(UTC) - delivery.requested_at
        hopeless = isinstance(error, RefusedError)
        if hopeless or tried_for > timedelta(hours=settings.outbox_give_up_hours):
            await self._end(lambda tx: deliveries.given_up(tx, delivery, str(error)))
            ENDED.labels(delivery.target, "given up").inc()
            bound.error("given up: it waits for a person", reason=str(error))
            return
        seconds = wait_seconds(
            delivery.failures + 1,
            settings.outbox_first_wait_seconds,
            settings.outbox_longest_wait_seconds,
            random.random(),  # noqa: S311 - jitter, not a secret
        )
        await self._end(lambda tx: deliveries.postponed(tx, delivery, str(error), seconds))
        ENDED.labels(delivery.target, "postponed").inc()
        bound.warning("postponed", reason=str(error), seconds=round(seconds, 2))

    async def _end(self, write: Callable[[Transaction], Awaitable[None]]) -> None:
        try:
            await self._store.run(write, atomic=False)
        except StoreAwayError:
            log.warning("the outcome is not written down; the delivery is made again")

    async def _listen(self) -> None:
        """Wake the worker when a transaction anywhere has committed a delivery."""
        while True:
            try:
                connection = await psycopg.AsyncConnection.connect(
                    self._database_url, autocommit=True, connect_timeout=2
                )
                async with connection:
                    await connection.execute(f"LISTEN {NOTIFY_CHANNEL}")
                    async for _ in connection.notifies():
                        self._wake.set()
            except psycopg.OperationalError:
                # Polling goes on meanwhile; this only makes it prompt.
                await asyncio.sleep(POLL_SECONDS)
