"""A mail relay that keeps its word: what it has said yes to is on disk, as with every real one.

    relay.py PORT FILE

The development platform's mail sink answers before it has written, so what a SIGKILL takes from it
would say nothing of the platform.
"""

import asyncio
import sqlite3
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass(frozen=True, slots=True)
class Arrival:
    """A mail that the relay took; `at` in seconds since the epoch."""

    at: float
    to: str
    message_id: str


def arrivals(file: Path) -> list[Arrival]:
    """Every mail that was ever taken into `file`, the first first."""
    with closing(sqlite3.connect(file)) as spool:
        rows = spool.execute("SELECT at, recipient, message_id FROM mails ORDER BY rowid")
        return [Arrival(*row) for row in rows]


class Spool:
    """Takes every mail."""

    def __init__(self, file: Path) -> None:
        self._mails = sqlite3.connect(file, isolation_level=None)
        self._mails.execute("PRAGMA journal_mode = WAL")
        self._mails.execute("PRAGMA synchronous = FULL")
        self._mails.execute(
            "CREATE TABLE IF NOT EXISTS mails (at REAL, recipient TEXT, message_id TEXT)"
        )

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Write it down, and only then say yes."""
        assert isinstance(envelope.content, bytes)
        message_id = BytesHeaderParser().parsebytes(envelope.content)["Message-ID"]
        (to,) = envelope.rcpt_tos
        self._mails.execute("INSERT INTO mails VALUES (?, ?, ?)", (time.time(), to, message_id))
        return "250 It is on disk"


async def serve(port: int, file: Path) -> None:
    """Until the end of the process."""
    spool = Spool(file)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(spool, enable_SMTPUTF8=True, hostname="relay.example.org"), "127.0.0.1", port
    )
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
