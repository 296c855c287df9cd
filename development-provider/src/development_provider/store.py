"""The store of the provider: its key in a file, codes and ended sessions in memory.

What is in memory is lost at a restart, which is good enough for development.
"""

import json
import secrets
from pathlib import Path

from joserfc.jwk import ECKey

from development_provider.domain import ALGORITHM, CodeGrant


def load_or_create_key(folder: Path) -> ECKey:
    """Return the signing key in `folder`; create it the first time, readable by the owner only."""
    file = folder / "key.json"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        key = ECKey.generate_key(
            "P-256", {"kid": secrets.token_hex(8), "use": "sig", "alg": ALGORITHM}
        )
        new = file.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(json.dumps(key.as_dict(private=True)))
        new.replace(file)
    return ECKey.import_key(json.loads(file.read_text()))


class Store:
    """The codes that were not exchanged yet, and the sessions that have ended.

    `now` is in seconds of a clock that never goes back.
    """

    def __init__(self) -> None:
        self._grants: dict[str, CodeGrant] = {}
        self._ended_sessions: set[str] = set()

    def add_code(self, grant: CodeGrant, now: float) -> str:
        """Return a new code that stands for `grant`; forget the codes that have expired."""
        self._grants = {code: each for code, each in self._grants.items() if each.expires_at > now}
        code = secrets.token_urlsafe(32)
        self._grants[code] = grant
        return code

    def take_code(self, code: str, now: float) -> CodeGrant | None:
        """Remove a code and return its grant; None if it is unknown, used or expired."""
        grant = self._grants.pop(code, None)
        return grant if grant is not None and grant.expires_at > now else None

    def end_session(self, session_id: str) -> None:
        """Record that a session gets no more tokens."""
        self._ended_sessions.add(session_id)

    def has_ended(self, session_id: str) -> bool:
        """Return True if the session was ended."""
        return session_id in self._ended_sessions
