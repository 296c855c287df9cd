"""Brings the database to the newest schema; any number may run at once, one does the work.

One that a later version has been at already is left as it is: each version's schema lets the one
before it work, which is what a rolling update and a rollback need.
"""

import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script.revision import ResolutionError
from alembic.util import CommandError
from sqlalchemy.exc import OperationalError

from c4p.settings import DatabaseSettings
from c4p.store import driver_url
from servicekit.commands import end_when_told
from servicekit.settings import load


def configuration(database_url: str) -> Config:
    """Alembic's configuration, without a file of its own."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["url"] = driver_url(database_url)
    return config


def main() -> None:
    """Migrate the database that DATABASE_URL names."""
    end_when_told()
    settings = load(DatabaseSettings)
    try:
        command.upgrade(configuration(str(settings.database_url)), "head")
    except OperationalError as error:
        sys.exit(f"The database can't be migrated: {str(error.orig).strip()}")
    except CommandError as error:
        # "head" is known, so it is the database's revision that is not.
        if not isinstance(error.__cause__, ResolutionError):
            raise
        sys.stdout.write("The database is of a later version than this one, and stays as it is.\n")


if __name__ == "__main__":
    main()
