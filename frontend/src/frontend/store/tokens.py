"""The tokens of who is signed in, in Valkey: encrypted, and found by every replica."""

from dataclasses import asdict
from datetime import UTC, datetime
from hashlib import sha256

from pydantic import TypeAdapter

from frontend.domain import SESSION_LIFETIME, SignInRequiredError, Tokens
from frontend.encryption import Cipher, restored
from servicekit.http import NeighbourUnavailableError
from servicekit.valkey import Valkey

STORE = "session store"
ENDED = ""
"""What is kept of a session that has ended, until its cookies have: a store that has lost its data
says nothing, so that replicas with copies of the tokens can tell the one from the other.
"""
# A renewal that is under way when somebody signs out must not bring the session back.
_PUT = """#!lua
if redis.call('GET', KEYS[1]) == ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
"""

_TOKENS = TypeAdapter(Tokens)


class TokenStore:
    """Valkey, where every replica finds the tokens; what lies there opens with the session key
    alone. Its methods raise NeighbourUnavailableError, after `timeout_seconds` at the latest.
    """

    def __init__(self, url: str, key: str, timeout_seconds: float) -> None:
        self._cipher = Cipher(key, "tokens")
        self._valkey = Valkey(
            url, timeout_seconds, lambda reason: NeighbourUnavailableError(STORE, reason)
        )
        self._put = self._valkey.script(_PUT)

    async def put(self, handle: str, tokens: Tokens) -> None:
        """Keep `tokens` as long as a session may last; SignInRequiredError where it has ended."""
        value = {**asdict(tokens), "handle": handle}
        text = self._cipher.encrypt(value, datetime.now(UTC) + SESSION_LIFETIME)
        seconds = int(SESSION_LIFETIME.total_seconds())
        is_kept = await self._put([_name(handle)], [ENDED, text, seconds])
        if not is_kept:
            raise SignInRequiredError

    async def get(self, handle: str) -> Tokens | None:
        """Return what is kept; None if nothing is, SignInRequiredError if the session has ended."""
        async with self._valkey.commands() as client:
            text = await client.get(_name(handle))
        if text == ENDED:
            raise SignInRequiredError
        value = self._cipher.decrypt(str(text), datetime.now(UTC)) if text else None
        # Who can write to Valkey must not turn one session into another.
        if value is None or value.pop("handle", None) != handle:
            return None
        return restored(_TOKENS, value)

    async def end(self, handle: str) -> None:
        """Keep nothing but that the session has ended."""
        async with self._valkey.commands() as client:
            await client.set(_name(handle), ENDED, ex=SESSION_LIFETIME)

    async def close(self) -> None:
        """Give the connections back."""
        await self._valkey.close()


def _name(handle: str) -> str:
    # Who reads Valkey's keys must not learn what the cookies hold.
    return f"{{frontend}}:tokens:{sha256(handle.encode()).hexdigest()}"
