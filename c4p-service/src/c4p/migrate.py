"""Brings the database to the newest schema; any number may run at once, one does the work."""

import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy.exc import OperationalError

from c4p.settings import DatabaseSettings
from c4p.store import driver_url
from servicekit.settings import load


def configuration(database_url: str) -> Config:
    """Alembic's configuration, without a file of its own."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["url"] = driver_url(database_url)
    return config


def main() -> None:
    """Migrate the database that DATABASE_URL names."""
    settings = load(DatabaseSettings)
    try:
        command.upgrade(configuration(str(settings.database_url)), "head")
    except OperationalError as error:
        sys.exit(f"The database can't be migrated: {str(error.orig).strip()}")


if __name__ == "__main__":
    main()
