"""Wakes the outbox of every replica by LISTEN and NOTIFY."""

from collections.abc import AsyncIterator

import psycopg
from sqlalchemy import func, select

from c4p.store.database import StoreUnavailableError, Transaction
from c4p.store.statements import NOTIFY_CHANNEL

_NOTIFY = select(func.pg_notify(NOTIFY_CHANNEL, ""))


async def notify(transaction: Transaction) -> None:
    """Wake the outbox of every replica when this transaction commits."""
    await transaction.connection.execute(_NOTIFY)


async def listen(database_url: str) -> AsyncIterator[None]:
    """Yield each time that a transaction anywhere has committed a delivery.

    StoreUnavailableError when the connection, which is its own, can't be made or is lost.
    """
    try:
        connection = await psycopg.AsyncConnection.connect(
            database_url, autocommit=True, connect_timeout=2
        )
        async with connection:
            await connection.execute(f"LISTEN {NOTIFY_CHANNEL}")
            async for _ in connection.notifies():
                yield
    except psycopg.Error as error:
        raise StoreUnavailableError("PostgreSQL can't be reached.") from error
