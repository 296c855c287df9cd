"""supervisord as a command, which starts services faster: as forks of itself.

A service's start is a second of work, nearly all of it the import of libraries. They are imported
here, once.
"""

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module

from supervisor.options import ServerOptions
from supervisor.supervisord import go

from embedded import launch

LIBRARIES = (
    *("servicekit.app", "servicekit.identity", "sqlalchemy.ext.asyncio", "psycopg"),
    *("redis.asyncio", "jinja2", "icalendar", "aiosmtplib"),
)


def _become(_file: str, arguments: Sequence[str], _env: Mapping[str, str]) -> None:
    launch.become(arguments[-1])


def main() -> None:
    """Do what supervisord does with the arguments of this process."""
    for name in LIBRARIES:
        import_module(name)
    options = ServerOptions()
    options.realize(sys.argv[1:], doc=__doc__)
    options.first, options.test = True, False
    options.execve = _become
    go(options)


if __name__ == "__main__":
    main()
