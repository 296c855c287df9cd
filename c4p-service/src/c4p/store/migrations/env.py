"""Runs the migrations in one transaction, under a lock that one session at a time may hold."""

from alembic import context
from sqlalchemy import create_engine, text

from c4p.store.tables import metadata

LOCK = 0x63347000
"""Any number will do that nothing else in this database locks: `c4p` and a zero byte."""

engine = create_engine(context.config.attributes["url"], connect_args={"connect_timeout": 5})
with engine.begin() as connection:
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    context.configure(connection=connection, target_metadata=metadata)
    context.run_migrations()
engine.dispose()
