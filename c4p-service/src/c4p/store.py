"""Proposals, events, the window and the reports in PostgreSQL, one transaction a use case."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    bindparam,
    delete,
    func,
    literal,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from uuid_utils.compat import uuid7

from c4p.domain import (
    Change,
    Event,
    EventKind,
    Proposal,
    ProposalNotFoundError,
    State,
    Window,
)
from c4p.statements import NOTIFY_CHANNEL, SAVE_CHANGE
from c4p.tables import (
    call_window,
    consistency_reports,
    events,
    idempotency_keys,
    proposals,
)

KEPT_REPORTS = 20

# Built once: to build a statement anew for each call costs more than to run it.
_SELECT_PROPOSAL = select(proposals).where(proposals.c.id == bindparam("id"))
_LOCK_PROPOSAL = _SELECT_PROPOSAL.with_for_update()
_SELECT_WINDOW = select(call_window)
_SELECT_KEY = select(idempotency_keys).where(idempotency_keys.c.key == bindparam("key"))
_NEWEST_COMPLETE_REPORT = (
    select(consistency_reports)
    .where(consistency_reports.c.complete)
    .order_by(consistency_reports.c.checked_at.desc())
    .limit(1)
)
_NOTIFY = select(func.pg_notify(NOTIFY_CHANNEL, ""))


T = TypeVar("T")


class KeyReusedError(Exception):
    """The Idempotency-Key came before, with another request."""


@dataclass(frozen=True, slots=True)
class Key:
    """An Idempotency-Key, and what tells its request from another."""

    text: str
    request_hash: str


class StoreUnavailableError(Exception):
    """PostgreSQL can't be reached or takes too long; the transaction may or may not have ended."""


class _StaleConnectionError(Exception):
    """The connection was closed by the server before anything was committed on it."""


class Transaction:
    """What may be read and written in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection
        self.on_commit: list[Callable[[], None]] = []
        """What is done once it has committed, such as to count."""

    async def proposal(self, proposal_id: UUID, *, for_update: bool = False) -> Proposal:
        """The proposal, locked against other writers if asked, or ProposalNotFoundError."""
        query = _LOCK_PROPOSAL if for_update else _SELECT_PROPOSAL
        row = (await self.connection.execute(query, {"id": proposal_id})).one_or_none()
        if row is None:
            raise ProposalNotFoundError("There is no proposal with this id.")
        return _proposal(row)

    async def key_owner(self, key: Key) -> Proposal | None:
        """The proposal that a request with this key made before; KeyReusedError if another's."""
        row = (await self.connection.execute(_SELECT_KEY, {"key": key.text})).one_or_none()
        if row is None:
            return None
        if row.request_hash != key.request_hash:
            raise KeyReusedError("This Idempotency-Key came before with another proposal.")
        return await self.proposal(row.proposal_id)

    async def save(self, change: Change, traceparent: str | None, key: Key | None = None) -> bool:
        """Write a change: the proposal, its event, and the deliveries that it causes.

        False, and nothing is written, when a request with `key` was there before; one that is
        under way elsewhere is waited for.
        """
        event = change.event
        new = [{**asdict(each), "id": str(uuid7())} for each in change.deliveries]
        values = {
            **asdict(change.proposal),
            "event_id": uuid7(),
            "kind": event.kind,
            "actor": event.actor,
            "subject": event.subject,
            "at": event.at,
            "event_data": dict(event.data),
            "deliveries": new,
            "traceparent": traceparent,
            "key": key.text if key else None,
            "request_hash": key.request_hash if key else None,
        }
        row = (await self.connection.execute(SAVE_CHANGE, values)).one()
        assert row.written or key, "the proposal was read without a lock"
        return bool(row.written)

    async def notify(self) -> None:
        """Wake the outbox of every replica when this transaction commits."""
        await self.connection.execute(_NOTIFY)

    async def page(
        self, state: State | None, search: str, after: UUID | None, limit: int
    ) -> tuple[Sequence[Proposal], UUID | None]:
        """Proposals, the newest first, and the cursor of the next page if there is one.

        Ids are UUIDv7, so their order is that of submission.
        """
        query = select(proposals).where(*_matching(search))
        if state is not None:
            query = query.where(proposals.c.state == state)
        return await self._page(query, after, limit)

    async def own(
        self, address: str, proposal_id: UUID | None, after: UUID | None, limit: int
    ) -> tuple[Sequence[Proposal], UUID | None]:
        """The proposals under `address`, in any case of its ASCII letters, as `page` has them.

        With `proposal_id` that one alone, if it is among them.
        """
        columns = proposals.c
        # In this collation lower() knows no letters but those of ASCII.
        lower = func.lower(columns.speaker_email.collate("C"))
        query = select(proposals).where(lower == func.lower(literal(address).collate("C")))
        if proposal_id is not None:
            query = query.where(columns.id == proposal_id)
        return await self._page(query, after, limit)

    async def _page(
        self, query: Select[Any], after: UUID | None, limit: int
    ) -> tuple[Sequence[Proposal], UUID | None]:
        if after is not None:
            query = query.where(proposals.c.id < after)
        query = query.order_by(proposals.c.id.desc()).limit(limit + 1)
        rows = (await self.connection.execute(query)).all()
        found = [_proposal(row) for row in rows[:limit]]
        return found, found[-1].id if len(rows) > limit else None

    async def counts(self, search: str) -> dict[State, int]:
        """How many proposals that match `search` are in each state."""
        query = (
            select(proposals.c.state, func.count())
            .where(*_matching(search))
            .group_by(proposals.c.state)
        )
        found = {row[0]: row[1] for row in await self.connection.execute(query)}
        return {state: found.get(state, 0) for state in State}

    async def events(self, proposal_id: UUID) -> Sequence[tuple[UUID, Event]]:
        """What happened to a proposal, the oldest first, each with its id."""
        query = select(events).where(events.c.proposal_id == proposal_id).order_by(events.c.version)
        return [(row.id, _event(row)) for row in await self.connection.execute(query)]

    async def window(self) -> Window:
        """When proposals are taken; without bounds until somebody sets them."""
        row = (await self.connection.execute(_SELECT_WINDOW)).one_or_none()
        return Window(row.opens_at, row.closes_at) if row else Window()

    async def set_window(self, window: Window) -> None:
        """Set when proposals are taken."""
        values = {"opens_at": window.opens_at, "closes_at": window.closes_at}
        await self.connection.execute(
            upsert(call_window)
            .values(single=True, **values)
            .on_conflict_do_update(index_elements=["single"], set_=values)
        )

    async def reports(self) -> Sequence[Row[Any]]:
        """The newest consistency reports, the newest first."""
        query = (
            select(consistency_reports)
            .order_by(consistency_reports.c.checked_at.desc())
            .limit(KEPT_REPORTS)
        )
        return (await self.connection.execute(query)).all()

    async def newest_complete_report(self) -> Row[Any] | None:
        """The newest report for which every service could be asked."""
        rows = await self.connection.execute(_NEWEST_COMPLETE_REPORT)
        return rows.one_or_none()

    async def save_report(self, report: dict[str, Any]) -> None:
        """Keep a report, over an earlier one with its id; the oldest of many are forgotten."""
        await self.connection.execute(
            upsert(consistency_reports)
            .values(report)
            .on_conflict_do_update(index_elements=["id"], set_=report)
        )
        columns = consistency_reports.c
        kept = select(columns.id).order_by(columns.checked_at.desc()).limit(KEPT_REPORTS)
        await self.connection.execute(delete(consistency_reports).where(columns.id.not_in(kept)))


def driver_url(url: str) -> str:
    """The address of PostgreSQL as SQLAlchemy wants it, which names the driver."""
    return f"postgresql+psycopg://{url.partition('://')[2]}"


class Store:
    """The database, as transactions with a time limit."""

    def __init__(self, url: str, pool_size: int, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        milliseconds = int(timeout_seconds * 1000)
        self._late: set[asyncio.Task[Any]] = set()
        self._engine = create_async_engine(
            driver_url(url),
            # A failing statement's values are people's words; they have no business in a log.
            hide_parameters=True,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=timeout_seconds,
            connect_args={
                "connect_timeout": 2,
                # The second one ends the transaction, and with it the locks, of a client that is
                # frozen or lost with its machine; PostgreSQL itself would wait for hours.
                "options": f"-c timezone=UTC -c statement_timeout={milliseconds}"
                f" -c idle_in_transaction_session_timeout={milliseconds}",
            },
        )
        # The same pool.
        self._unbound = self._engine.execution_options(isolation_level="AUTOCOMMIT")

    async def run(self, work: Callable[[Transaction], Awaitable[T]], *, atomic: bool = True) -> T:
        """Return the result of `work` once its transaction has committed, or raise
        StoreUnavailableError in time.

        Without `atomic` each statement is a transaction of its own, which saves two round trips:
        enough to read, or for a single write that may be repeated. `work` runs a second time when
        the connection turned out to be closed before anything was committed.

        A server that hangs can't be asked to cancel, so its transaction is left behind to end
        when the server does; waiting for it would hold the caller as long.
        """
        engine = self._engine if atomic else self._unbound
        task = asyncio.create_task(_run(engine, work))
        try:
            await asyncio.wait({task}, timeout=self._timeout_seconds)
        finally:
            # Too late, or the caller was cancelled.
            if not task.done():
                self._late.add(task)
                task.add_done_callback(self._forget)
                task.cancel()
        if not task.done():
            raise StoreUnavailableError("PostgreSQL takes too long.")
        return task.result()

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._late.discard(task)
        if not task.cancelled():
            task.exception()

    async def has_schema(self) -> bool:
        """Whether the migrations have run, or StoreUnavailableError."""
        return await self.run(_has_schema)

    async def close(self) -> None:
        """Give the connections back."""
        await self._engine.dispose()


async def _run(engine: AsyncEngine, work: Callable[[Transaction], Awaitable[T]]) -> T:
    try:
        return await _attempt(engine, work)
    except _StaleConnectionError:
        # The pool kept a connection that the server has closed meanwhile; all such are gone from
        # it now.
        try:
            return await _attempt(engine, work)
        except _StaleConnectionError as error:
            raise StoreUnavailableError("PostgreSQL can't be reached.") from error


async def _attempt(engine: AsyncEngine, work: Callable[[Transaction], Awaitable[T]]) -> T:
    committing = False
    try:
        async with engine.connect() as connection:
            transaction = Transaction(connection)
            result = await work(transaction)
            committing = True
            await connection.commit()
            for done in transaction.on_commit:
                done()
            return result
    except (PoolTimeoutError, OSError) as error:
        raise StoreUnavailableError("PostgreSQL can't be reached.") from error
    except DBAPIError as error:
        if error.connection_invalidated and not committing:
            raise _StaleConnectionError from error
        if _is_absence(error):
            raise StoreUnavailableError("PostgreSQL can't be reached.") from error
        raise


async def _has_schema(transaction: Transaction) -> bool:
    found = await transaction.connection.execute(
        text("SELECT to_regclass('deliveries') IS NOT NULL")
    )
    return bool(found.scalar_one())


# https://www.postgresql.org/docs/current/errcodes-appendix.html: connection exceptions, read only
# (a standby during a failover), lack of resources, operator intervention (shutdown, crash, time
# limit), system error.
_ABSENCES = ("08", "25006", "53", "57", "58")


def _is_absence(error: DBAPIError) -> bool:
    state = getattr(error.orig, "sqlstate", None)
    return error.connection_invalidated or state is None or state.startswith(_ABSENCES)


def _matching(search: str) -> list[ColumnElement[bool]]:
    if not search:
        return []
    columns = (proposals.c.title, proposals.c.abstract, proposals.c.speaker_name)
    return [or_(*(column.icontains(search, autoescape=True) for column in columns))]


def _proposal(row: Row[Any]) -> Proposal:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    return Proposal(**{**values, "state": State(row.state)})


def _event(row: Row[Any]) -> Event:
    kind = EventKind(row.kind)
    return Event(row.proposal_id, row.version, kind, row.actor, row.at, row.data, row.subject)
