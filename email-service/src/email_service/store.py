"""The ledger of mails, in Valkey: those that were sent, and those being sent, under a lease.

Entries never expire: they are small, they hold no address, and they are the proof that a speaker
was told.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Self

from email_service.domain import (
    IdempotencyKeyReusedError,
    LedgerEntry,
    SendingNowError,
    State,
)
from servicekit.valkey import Script, Valkey

MAX_ENTRIES = 100
"""The number of entries that are listed under a reference at most, the newest."""

# Valkey's clock is the only one that all instances share. The owner makes the script repeatable:
# a client that lost the answer may run it again and still owns its claim.
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

# No owner is asked for: the mail is sent, whoever sent it. The whole entry is written, in case it
# was lost in between.
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


class LedgerUnavailableError(Exception):
    """The ledger can't be read, so that nobody knows if the mail was sent before."""

    retry_after_seconds = 2

    def __init__(self) -> None:
        super().__init__("The ledger of mails is unavailable just now; nothing was sent.")


class Ledger:
    """The ledger of mails; as a context manager it closes its connections at the end.

    Every method takes `timeout_seconds` at most, and raises LedgerUnavailableError when it fails.
    """

    def __init__(self, url: str, timeout_seconds: float, lease_seconds: float) -> None:
        self._lease_milliseconds = int(lease_seconds * 1000)
        self._valkey = Valkey(url, timeout_seconds, lambda _: LedgerUnavailableError())
        self._claim = self._valkey.script(_CLAIM)
        self._record = self._valkey.script(_RECORD)
        self._release = self._valkey.script(_RELEASE)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._valkey.close()

    async def claim(self, entry: LedgerEntry, fingerprint: str, owner: str) -> LedgerEntry | None:
        """Claim a mail for `owner`, or return its entry if it was sent before.

        After None the owner sends the mail, and then records or releases it. Raise SendingNowError
        while the lease of another owner lasts, IdempotencyKeyReusedError when the key has another
        fingerprint.
        """
        arguments: list[str | int] = [
            fingerprint,
            owner,
            self._lease_milliseconds,
            entry.key,
            *_to_fields(entry),
        ]
        outcome, *found = await self._run(self._claim, entry, arguments)
        if outcome == "reused":
            raise IdempotencyKeyReusedError
        if outcome == "sending":
            raise SendingNowError
        if outcome == "claimed":
            return None
        return _parse_entry(entry.key, dict(zip(found[::2], found[1::2], strict=True)))

    async def record(self, sent: LedgerEntry, fingerprint: str) -> None:
        """Record that a mail was sent; it may be repeated."""
        await self._run(self._record, sent, [fingerprint, sent.key, *_to_fields(sent)])

    async def release(self, entry: LedgerEntry, owner: str) -> None:
        """Release the claim of `owner`, so that the next attempt need not wait for the lease."""
        await self._run(self._release, entry, [owner, entry.key])

    async def list_entries(self, reference: str) -> list[LedgerEntry]:
        """Return the entries under a reference, newest first, MAX_ENTRIES at most."""
        name = _reference_key(reference)
        async with self._valkey.commands() as client:
            keys: Any = await client.zrange(name, 0, MAX_ENTRIES - 1, desc=True)
            async with client.pipeline(transaction=False) as pipeline:
                for key in keys:
                    pipeline.hgetall(_entry_key(key))
                found: Sequence[dict[str, str]] = await pipeline.execute()
        # An entry may have been released between the two reads.
        return [
            _parse_entry(key, fields) for key, fields in zip(keys, found, strict=True) if fields
        ]

    async def _run(self, script: Script, entry: LedgerEntry, arguments: Sequence[str | int]) -> Any:
        return await script([_entry_key(entry.key), _reference_key(entry.reference)], arguments)


# The braces keep all keys on one node of a cluster, as scripts need.
def _entry_key(key: str) -> str:
    return f"{{email}}:key:{key}"


def _reference_key(reference: str) -> str:
    return f"{{email}}:reference:{reference}"


def _to_fields(entry: LedgerEntry) -> list[str]:
    """Return names and values in turns, as HSET takes them."""
    fields = {
        "template": entry.template,
        "to": entry.to_masked,
        "reference": entry.reference,
        "state": entry.state,
        "sent_at": entry.sent_at.isoformat() if entry.sent_at else "",
    }
    return [part for pair in fields.items() for part in pair]


def _parse_entry(key: str, fields: Mapping[str, str]) -> LedgerEntry:
    sent_at = fields["sent_at"]
    return LedgerEntry(
        key=key,
        template=fields["template"],
        to_masked=fields["to"],
        reference=fields["reference"],
        state=State(fields["state"]),
        sent_at=datetime.fromisoformat(sent_at) if sent_at else None,
    )
