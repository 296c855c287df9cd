"""The connection pool to PostgreSQL, and transactions with a timeout on it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from psycopg import conninfo, pq
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

T = TypeVar("T")


class StoreUnavailableError(Exception):
    """PostgreSQL can't be reached or takes too long; the transaction may or may not have ended."""


class _StaleConnectionError(Exception):
    """The connection was closed by the server before anything was committed on it."""


class Transaction:
    """A transaction under way: the functions of this package read and write in it."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection
        self.on_commit: list[Callable[[], None]] = []
        """Called once it has committed, such as to count."""


def driver_url(url: str) -> str:
    """Return the address of PostgreSQL as SQLAlchemy wants it, which names the driver."""
    return f"postgresql+psycopg://{url.partition('://')[2]}"


def is_accepting(url: str) -> bool:
    """Tell, within 2 seconds, whether PostgreSQL takes connections, even if it refuses ours.

    It does not while it starts, recovers or shuts down.
    """
    asked = conninfo.make_conninfo(url, connect_timeout=2)
    return pq.PGconn.ping(asked.encode()) == pq.Ping.OK


def is_connection_failure(error: DBAPIError) -> bool:
    """Tell whether no connection could be made, or the server has ended the one there was."""
    # A refused connection has no code: libpq does not hand it on.
    state = getattr(error.orig, "sqlstate", None)
    return error.connection_invalidated or state is None or state.startswith(("08", "57P"))


class Store:
    """A connection pool that runs functions as transactions with a timeout."""

    def __init__(self, url: str, pool_size: int, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        milliseconds = int(timeout_seconds * 1000)
        self._abandoned: set[asyncio.Task[Any]] = set()
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
        self._autocommit_engine = self._engine.execution_options(isolation_level="AUTOCOMMIT")

    async def run(self, work: Callable[[Transaction], Awaitable[T]], *, atomic: bool = True) -> T:
        """Return the result of `work` once its transaction has committed, or raise
        StoreUnavailableError in time.

        Without `atomic` each statement is a transaction of its own, which saves two round trips:
        enough to read, or for a single write that may be repeated. `work` runs a second time when
        the connection turned out to be closed before anything was committed.

        A server that hangs can't be asked to cancel, so its transaction is left behind to end
        when the server does; waiting for it would hold the caller as long.
        """
        engine = self._engine if atomic else self._autocommit_engine
        task = asyncio.create_task(_run(engine, work))
        try:
            await asyncio.wait({task}, timeout=self._timeout_seconds)
        finally:
            # Too late, or the caller was cancelled.
            if not task.done():
                self._abandoned.add(task)
                task.add_done_callback(self._forget)
                task.cancel()
        if not task.done():
            raise StoreUnavailableError("PostgreSQL takes too long.")
        return task.result()

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._abandoned.discard(task)
        if not task.cancelled():
            task.exception()

    async def has_schema(self) -> bool:
        """Tell whether the migrations have run, or raise StoreUnavailableError."""
        return await self.run(_has_schema)

    async def close(self) -> None:
        """Close every connection."""
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
        if _is_unavailability(error):
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
_UNAVAILABLE_CODES = ("08", "25006", "53", "57", "58")


def _is_unavailability(error: DBAPIError) -> bool:
    state = getattr(error.orig, "sqlstate", None)
    return error.connection_invalidated or state is None or state.startswith(_UNAVAILABLE_CODES)
