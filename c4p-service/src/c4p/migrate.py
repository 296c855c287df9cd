"""Brings the database to the newest schema; any number may run at once, one does the work.

A database that comes later is waited for. One that a later version has been at already is left as
it is: each version's schema lets the one before it work, which is what a rolling update and a
rollback need.
"""

import sys
import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script.revision import ResolutionError
from alembic.util import CommandError
from sqlalchemy.exc import OperationalError

from c4p.settings import MigrationSettings
from c4p.store.database import driver_url, is_accepting, is_connection_failure
from servicekit.commands import end_when_told
from servicekit.redaction import first_line
from servicekit.settings import load

PAUSE_SECONDS = 0.5
REFUSAL_SECONDS = 20.0
"""The time for which refusals are waited out: a server that is new takes connections before its
scripts have made the role, the password and the database."""


class Wait:
    """A wait for PostgreSQL, with an end.

    It lasts `wait_seconds` while nothing takes connections, and no longer than `refusal_seconds` in
    a row while PostgreSQL takes them and refuses ours, which most often nobody but a person mends.
    """

    def __init__(
        self, wait_seconds: float, now: float, refusal_seconds: float = REFUSAL_SECONDS
    ) -> None:
        self._ends_at = now + wait_seconds
        self._refusal_seconds = refusal_seconds
        self._refused_since: float | None = None

    def is_over(self, now: float, *, refused: bool) -> bool:
        """Tell whether to give up after an attempt that failed at `now`."""
        if not refused:
            self._refused_since = None
        elif self._refused_since is None:
            self._refused_since = now
        ends_at = self._ends_at
        if self._refused_since is not None:
            ends_at = min(ends_at, self._refused_since + self._refusal_seconds)
        return now >= ends_at


def configuration(database_url: str) -> Config:
    """Return Alembic's configuration, which has no file of its own."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "store" / "migrations"))
    config.attributes["url"] = driver_url(database_url)
    return config


def migrate(database_url: str, wait_seconds: float) -> None:
    """Migrate the database as soon as it takes connections.

    A connection that is lost midway begins it anew, since all migrations are one transaction. The
    process ends with one sentence when the wait is over, or at once when something else fails.
    """
    config = configuration(database_url)
    started = time.monotonic()
    wait = Wait(wait_seconds, started)
    reported = ""
    while True:
        try:
            command.upgrade(config, "head")
        except OperationalError as error:
            reason = first_line(str(error.orig).strip())
            if not is_connection_failure(error):
                sys.exit(f"The database can't be migrated: {reason}")
            now = time.monotonic()
            if wait.is_over(now, refused=is_accepting(database_url)):
                waited = f"gave up after {now - started:.0f} s"
                sys.exit(f"The database can't be migrated: {reason} ({waited})")
            if reason != reported:
                sys.stdout.write(f"Waiting for the database: {reason}\n")
                sys.stdout.flush()
                reported = reason
            time.sleep(PAUSE_SECONDS)
        else:
            return


def main() -> None:
    """Migrate the database that DATABASE_URL names."""
    end_when_told()
    settings = load(MigrationSettings)
    try:
        migrate(str(settings.database_url), settings.migration_wait_seconds)
    except CommandError as error:
        # "head" is known, so it is the database's revision that is not.
        if not isinstance(error.__cause__, ResolutionError):
            raise
        sys.stdout.write("The database is of a later version than this one, and stays as it is.\n")


if __name__ == "__main__":
    main()
