"""Makes the calls that committed changes cause, however often it takes, and doubles none.

A crash at any instant loses nothing: the row is written with the change, claimed before the call
and ended after it. It doubles nothing: the receivers know the key or the version of each call.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import Counter

from c4p.clients import AgendaClient, EmailClient, RefusedError, TryLaterError
from c4p.domain import Delivery, State, Target, wait_seconds
from c4p.settings import OutboxSettings
from c4p.store import deliveries, proposals
from c4p.store.database import Store, StoreUnavailableError, Transaction
from c4p.store.notifications import listen
from servicekit.http import NeighbourUnavailableError
from servicekit.logging import root_cause
from servicekit.sampling import Attributes
from servicekit.telemetry import continued_from

POLL_SECONDS = 1.0
"""The delay with which a retry that is due may be noticed: only new rows are notified."""
DRAIN_SECONDS = 5.0
"""The time for calls to end after SIGTERM; what takes longer is made again when its lease ends."""

ENDED = Counter("outbox_attempts_total", "Attempts by outcome", ["target", "outcome"])
for _target in Target:
    for _outcome in ("delivered", "postponed", "given up"):
        # There from the start: what appears with 1 has not grown, as Prometheus sees it.
        ENDED.labels(_target, _outcome)

log = structlog.get_logger()


class Outbox:
    """A queue in the database with a worker for each target, so that none holds up the other."""

    def __init__(
        self,
        store: Store,
        agenda: AgendaClient,
        email: EmailClient,
        settings: OutboxSettings,
        database_url: str,
    ) -> None:
        self._store = store
        self._database_url = database_url
        self._stopping = asyncio.Event()
        self.has_schema = asyncio.Event()
        """Set when the tables have been seen: until then nothing can be taken or delivered."""

        async def update_agenda(delivery: Delivery) -> None:
            # The agenda gets the state of now, not of then: the newest is always right.
            proposal = await store.run(
                lambda tx: proposals.find(tx, delivery.proposal_id), atomic=False
            )
            if proposal.state is State.ACCEPTED:
                await agenda.put(proposal)
            else:
                await agenda.remove(proposal)

        self._workers = (
            Worker(Target.AGENDA, update_agenda, store, settings),
            Worker(Target.EMAIL, email.send, store, settings),
        )

    def stop(self) -> None:
        """Claim nothing any more; `run` returns when the calls under way have ended."""
        self._stopping.set()
        for worker in self._workers:
            worker.wake()

    async def run(self) -> None:
        """Work until `stop`."""
        await self._wait_for_schema()
        listening = asyncio.create_task(self._listen())
        await asyncio.gather(*(worker.run(self._stopping) for worker in self._workers))
        listening.cancel()

    async def _wait_for_schema(self) -> None:
        logged = None
        while not self._stopping.is_set():
            missing = await self._missing()
            if missing is None:
                self.has_schema.set()
                return
            if missing != logged:
                log.warning("not ready yet", reason=missing)
                logged = missing
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), POLL_SECONDS / 4)

    async def _missing(self) -> str | None:
        try:
            return None if await self._store.has_schema() else "the migrations have not run"
        except StoreUnavailableError as error:
            return root_cause(error)

    async def _listen(self) -> None:
        """Wake the workers when a transaction anywhere has committed a delivery."""
        while True:
            try:
                async for _ in listen(self._database_url):
                    for worker in self._workers:
                        worker.wake()
            except StoreUnavailableError:
                # Polling goes on meanwhile; this only makes it prompt.
                await asyncio.sleep(POLL_SECONDS)


class Worker:
    """A worker for one target: claims the deliveries that are due, and makes their calls."""

    def __init__(
        self,
        target: Target,
        call: Callable[[Delivery], Awaitable[None]],
        store: Store,
        settings: OutboxSettings,
    ) -> None:
        self._target = target
        self._call = call
        self._store = store
        self._settings = settings
        self._woken = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """Look for deliveries now."""
        self._woken.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until `stopping` is set; then let the calls that are under way end."""
        while not stopping.is_set():
            self._woken.clear()
            if await self._start_due() == 0:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), POLL_SECONDS)
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=DRAIN_SECONDS)

    async def _start_due(self) -> int:
        free = self._settings.outbox_concurrency - len(self._under_way)
        if free == 0:
            return 0
        lease = self._settings.outbox_lease_seconds
        try:
            claimed = await self._store.run(
                lambda tx: deliveries.claim(tx, self._target, free, lease), atomic=False
            )
        except StoreUnavailableError as error:
            log.warning("outbox waits for the database", reason=str(error))
            return 0
        except Exception as error:
            log.error("outbox could not claim", exc_info=error)
            return 0
        for delivery in claimed:
            task = asyncio.create_task(self._deliver(delivery))
            self._under_way.add(task)
            task.add_done_callback(self._ended)
        return len(claimed)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._woken.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            # The lease ends by itself, so the delivery is not lost.
            log.error("delivery broke", exc_info=error)

    async def _deliver(self, delivery: Delivery) -> None:
        attributes: Attributes = {
            "delivery.id": str(delivery.id),
            "delivery.attempt": delivery.attempts,
            "proposal.id": str(delivery.proposal_id),
        }
        name = f"deliver {delivery.kind}"
        with continued_from(delivery.traceparent, name, attributes) as failed:
            try:
                await self._call(delivery)
            except StoreUnavailableError as error:
                failed(error)
                log.warning("delivery waits for the database", delivery=str(delivery.id))
            except (NeighbourUnavailableError, TryLaterError, RefusedError) as error:
                failed(error)
                await self._failed(delivery, error)
            else:
                await self._end(
                    delivery, "delivered", lambda tx: deliveries.mark_delivered(tx, delivery)
                )

    async def _failed(self, delivery: Delivery, error: Exception) -> None:
        settings, reason = self._settings, str(error)
        tried_for = datetime.now(UTC) - delivery.requested_at
        hopeless = isinstance(error, RefusedError)
        if hopeless or tried_for > timedelta(hours=settings.outbox_give_up_hours):
            await self._end(
                delivery, "given up", lambda tx: deliveries.give_up(tx, delivery, reason), reason
            )
            return
        seconds = wait_seconds(
            delivery.failures + 1,
            settings.outbox_first_wait_seconds,
            settings.outbox_longest_wait_seconds,
            random.random(),  # noqa: S311 - jitter, not a secret
        )
        await self._end(
            delivery,
            "postponed",
            lambda tx: deliveries.postpone(tx, delivery, reason, seconds),
            reason,
        )

    async def _end(
        self,
        delivery: Delivery,
        outcome: str,
        write: Callable[[Transaction], Awaitable[bool]],
        reason: str | None = None,
    ) -> None:
        """Write down the outcome of an attempt, and only then log and count it."""
        bound = log.bind(
            delivery=str(delivery.id),
            proposal=str(delivery.proposal_id),
            kind=delivery.kind,
            attempts=delivery.attempts,
            reason=reason,
        )
        try:
            written = await self._store.run(write, atomic=False)
        except StoreUnavailableError:
            bound.warning("the outcome is not written down; the delivery is made again")
            return
        if not written:
            bound.warning("the lease was over; another worker has the delivery")
            return
        ENDED.labels(delivery.target, outcome).inc()
        levels = {"delivered": bound.info, "postponed": bound.warning, "given up": bound.error}
        levels[outcome](outcome)
