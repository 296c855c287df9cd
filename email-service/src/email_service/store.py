"""The ledger in Valkey: which mail was sent, and which is being sent by whom until when.

Entries have no end of life: they are small, they hold no address, and they are the proof that a
speaker was told.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from email_service.domain import (
    Entry,
    IdempotencyKeyReusedError,
    LedgerUnavailableError,
    SendingNowError,
    State,
)

MOST_ENTRIES = 100
"""How many entries a reference shows at most, the newest."""

# Valkey's clock is the only one that all instances share. The owner makes the script repeatable:
# a client that lost the answer may ask again and still owns its claim.
_CLAIM = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local fingerprint, state, owner, ends = unpack(
    redis.call('HMGET', KEYS[1], 'fingerprint', 'state', 'owner', 'lease_ends'))
if fingerprint and fingerprint ~= ARGV[1] then
    return {'reused'}
elseif state == 'sent' then
    return {'sent', unpack(redis.call('HGETALL', KEYS[1]))}
elseif state and owner ~= ARGV[2] and tonumber(ends) > now then
    return {'sending'}
end
redis.call('HSET', KEYS[1], 'fingerprint', ARGV[1], 'owner', ARGV[2],
    'lease_ends', now + ARGV[3], unpack(ARGV, 5))
redis.call('ZADD', KEYS[2], 'NX', now, ARGV[4])
return {'claimed'}
"""

# Whoever sent it, it is sent; written whole, in case the entry was lost in between.
_RECORD = """
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], 'fingerprint', ARGV[1], unpack(ARGV, 3))
redis.call('ZADD', KEYS[2], 'NX', time[1] * 1000 + math.floor(time[2] / 1000), ARGV[2])
"""

_RELEASE = """
local state, owner = unpack(redis.call('HMGET', KEYS[1], 'state', 'owner'))
if state == 'sending' and owner == ARGV[1] then
    redis.call('DEL', KEYS[1])
    redis.call('ZREM', KEYS[2], ARGV[2])
end
"""


class Ledger:
    """Every method raises LedgerUnavailableError while Valkey is unavailable: where it does not
    answer, after `timeout_seconds`.
    """

    def __init__(self, url: str, timeout_seconds: float, lease_seconds: float) -> None:
        self._lease_milliseconds = int(lease_seconds * 1000)
        self._client: Redis = Redis.from_url(
            url,
            decode_responses=True,
            socket_connect_timeout=timeout_seconds,
            socket_timeout=timeout_seconds,
            # Once: a kept connection may have ended with the server's last restart. Time-outs are
            # not repeated, they would add up.
            retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        )
        self._claim = self._client.register_script(_CLAIM)
        self._record = self._client.register_script(_RECORD)
        self._release = self._client.register_script(_RELEASE)

    async def claim(self, entry: Entry, fingerprint: str, owner: str) -> Entry | None:
        """None when `owner` may send now and must record or release; the entry if it was sent.

        SendingNowError while another owner's lease lasts, IdempotencyKeyReusedError when the key
        has another fingerprint.
        """
        arguments: list[str | int] = [
            fingerprint,
            owner,
            self._lease_milliseconds,
            entry.key,
            *_flat(entry),
        ]
        outcome, *found = await self._run(self._claim, entry, arguments)
        if outcome == "reused":
            raise IdempotencyKeyReusedError
        if outcome == "sending":
            raise SendingNowError
        if outcome == "claimed":
            return None
        return _entry(entry.key, dict(zip(found[::2], found[1::2], strict=True)))

    async def record(self, sent: Entry, fingerprint: str) -> None:
        """Write that the mail of `sent` was sent; may be repeated."""
        await self._run(self._record, sent, [fingerprint, sent.key, *_flat(sent)])

    async def release(self, entry: Entry, owner: str) -> None:
        """Give the claim up, so that the next attempt need not wait for the lease."""
        await self._run(self._release, entry, [owner, entry.key])

    async def entries(self, reference: str) -> list[Entry]:
        """What was sent or is being sent under `reference`: the newest first, MOST_ENTRIES."""
        try:
            name = _reference_key(reference)
            keys: Any = await self._client.zrange(name, 0, MOST_ENTRIES - 1, desc=True)
            async with self._client.pipeline(transaction=False) as pipeline:
                for key in keys:
                    pipeline.hgetall(_entry_key(key))
                found: Sequence[dict[str, str]] = await pipeline.execute()
        except RedisError as error:
            raise LedgerUnavailableError from error
        # An entry may have been released between the two questions.
        return [_entry(key, fields) for key, fields in zip(keys, found, strict=True) if fields]

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()

    async def _run(self, script: Any, entry: Entry, arguments: Sequence[str | int]) -> Any:
        keys = [_entry_key(entry.key), _reference_key(entry.reference)]
        try:
            return await script(keys=keys, args=arguments)
        except RedisError as error:
            raise LedgerUnavailableError from error


# The braces keep all keys on one node of a cluster, as scripts need.
def _entry_key(key: str) -> str:
    return f"{{email}}:key:{key}"


def _reference_key(reference: str) -> str:
    return f"{{email}}:reference:{reference}"


def _flat(entry: Entry) -> list[str]:
    fields = {
        "template": entry.template,
        "to": entry.to_masked,
        "reference": entry.reference,
        "state": entry.state,
        "sent_at": entry.sent_at.isoformat() if entry.sent_at else "",
    }
    return [part for pair in fields.items() for part in pair]


def _entry(key: str, fields: Mapping[str, str]) -> Entry:
    sent_at = fields["sent_at"]
    return Entry(
        key=key,
        template=fields["template"],
        to_masked=fields["to"],
        reference=fields["reference"],
        state=State(fields["state"]),
        sent_at=datetime.fromisoformat(sent_at) if sent_at else None,
    )
