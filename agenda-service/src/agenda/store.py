"""The agenda in Valkey: every change is one Lua script, so that no two can come between."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Self
from uuid import UUID

import orjson
import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from uuid_utils.compat import uuid7

from agenda.domain import (
    AgendaFullError,
    Mover,
    Schedule,
    SessionNotFoundError,
    SlotTakenError,
    StaleVersionError,
    Talk,
)

# The braces keep all keys on one node of a cluster, as scripts need.
SESSIONS = "{agenda}:sessions"
"""Hash: proposal id → slot id, a space, and the talk as JSON."""
TAKEN = "{agenda}:taken"
"""Hash: slot id → proposal id."""
FENCES = "{agenda}:fences"
"""Hash: proposal id → the highest version seen, kept when the session goes."""
REVISION = "{agenda}:revision"
"""String: new and unique with each change, so that no agenda is ever taken for another one.

A counter would not do: a failover that loses the last writes would count the same numbers again.
"""
MOVES = "{agenda}:moves"
"""Hash: proposal id → who moved its session last, as JSON; it goes with the session."""

# By name, so that a release that adds one and the release before it can read each other.
_FIELDS = ("title", "abstract", "speaker", "version")

# With `#!lua` a server that is out of memory refuses a script whole, and not in the middle.
_PUT = """#!lua
local sessions, taken, fences, revision = unpack(KEYS)
local proposal, version, talk, schedule, change = unpack(ARGV)
local fence = redis.call('HGET', fences, proposal)
if fence and tonumber(version) < tonumber(fence) then
    return {'stale', fence}
end
local before = redis.call('HGET', sessions, proposal)
local old = before and string.match(before, '^%S+')
local slot = old and string.find(schedule, ' ' .. old .. ' ', 1, true) and old
if not slot then
    for each in string.gmatch(schedule, '%S+') do
        if redis.call('HSETNX', taken, each, proposal) == 1 then
            slot = each
            break
        end
    end
    if not slot then
        return {'full'}
    end
    if old then
        redis.call('HDEL', taken, old)
    end
end
local after = slot .. ' ' .. talk
if after ~= before then
    redis.call('HSET', sessions, proposal, after)
    redis.call('SET', revision, change)
end
redis.call('HSET', fences, proposal, version)
return {slot == old and 'kept' or 'new', slot}
"""

_MOVE = """#!lua
local sessions, taken, fences, revision, moves = unpack(KEYS)
local proposal, slot, mover, change = unpack(ARGV)
local before = redis.call('HGET', sessions, proposal)
if not before then
    return {'unknown'}
end
local old, talk = string.match(before, '^(%S+) (.*)$')
if slot ~= old then
    if redis.call('HSETNX', taken, slot, proposal) == 0 then
        local holder = redis.call('HGET', taken, slot)
        return {'taken', holder, redis.call('HGET', sessions, holder)}
    end
    redis.call('HDEL', taken, old)
    redis.call('HSET', sessions, proposal, slot .. ' ' .. talk)
    redis.call('HSET', moves, proposal, mover)
    redis.call('SET', revision, change)
end
return {'moved', before}
"""

_REMOVE = """#!lua
local sessions, taken, fences, revision, moves = unpack(KEYS)
local proposal, version, change = unpack(ARGV)
if version ~= '' then
    local fence = redis.call('HGET', fences, proposal)
    if fence and tonumber(version) < tonumber(fence) then
        return {'stale', fence}
    end
    redis.call('HSET', fences, proposal, version)
end
local before = redis.call('HGET', sessions, proposal)
if before then
    redis.call('HDEL', taken, string.match(before, '^%S+'))
    redis.call('HDEL', sessions, proposal)
    redis.call('HDEL', moves, proposal)
    redis.call('SET', revision, change)
end
return {'removed'}
"""


class StoreUnavailableError(Exception):
    """Valkey can't be reached, refuses, or takes too long; a change may yet have been made."""

    def __init__(self) -> None:
        super().__init__("The agenda's store is unavailable just now.")


class Store:
    """Every method raises StoreUnavailableError, after `timeout_seconds` at the latest.

    As a context manager it gives its connections back at the end.
    """

    def __init__(self, url: str, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=32,
            # One limit for the whole of a call, in `_bounded`: these would add up.
            timeout=None,
            socket_timeout=None,
            socket_connect_timeout=None,
            # Once, and at once: a kept connection may have ended with the server's last restart.
            retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
            # With RESP3 the pool no longer looks whether a kept connection has ended.
            protocol=2,
            decode_responses=True,
        )
        self._client = Redis.from_pool(pool)
        self._put = self._client.register_script(_PUT)
        self._move = self._client.register_script(_MOVE)
        self._remove = self._client.register_script(_REMOVE)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def revision(self) -> str:
        """The revision of the agenda, empty before the first change: one small read."""
        async with self._bounded():
            return str(await self._client.get(REVISION) or "")

    async def everything(self) -> tuple[str, dict[str, Talk]]:
        """The revision, and what it has: talks by slot id."""
        async with self._bounded(), self._client.pipeline(transaction=True) as pipeline:
            pipeline.get(REVISION)
            pipeline.hgetall(SESSIONS)
            revision, sessions = await pipeline.execute()
        entries = (_entry(proposal, value) for proposal, value in sessions.items())
        return revision or "", dict(entries)

    async def find(self, proposal_id: UUID) -> tuple[str, Talk]:
        """The slot id and the talk, or SessionNotFoundError."""
        async with self._bounded():
            value = await self._client.hget(SESSIONS, str(proposal_id))
        if value is None:
            raise SessionNotFoundError(proposal_id)
        return _entry(str(proposal_id), str(value))

    async def put(self, talk: Talk, schedule: Schedule) -> tuple[str, bool]:
        """Write `talk`, in the first free slot of `schedule` unless it has one already.

        The slot id, and whether it is a new one. AgendaFullError, or StaleVersionError.
        """
        text = orjson.dumps({name: getattr(talk, name) for name in _FIELDS})
        slots = f" {' '.join(schedule.slots)} "
        outcome, *found = await self._run(
            self._put, talk.proposal_id, talk.version, text, slots, _change()
        )
        if outcome == "full":
            raise AgendaFullError
        if outcome == "stale":
            raise StaleVersionError(int(found[0]))
        return found[0], outcome == "new"

    async def move(self, proposal_id: UUID, slot_id: str, by: Mover) -> Talk:
        """Put the talk into a slot of its own choice; SlotTakenError or SessionNotFoundError."""
        mover = orjson.dumps(by)
        outcome, *found = await self._run(self._move, proposal_id, slot_id, mover, _change())
        if outcome == "unknown":
            raise SessionNotFoundError(proposal_id)
        if outcome == "taken":
            raise SlotTakenError(_entry(*found)[1])
        return _entry(str(proposal_id), found[0])[1]

    async def last_move(self, proposal_id: UUID) -> Mover | None:
        """Who moved the session last; None when nobody has."""
        async with self._bounded():
            value = await self._client.hget(MOVES, str(proposal_id))
        if value is None:
            return None
        fields = orjson.loads(value)
        return Mover(fields["name"], fields["subject"], datetime.fromisoformat(fields["at"]))

    async def remove(self, proposal_id: UUID, version: int | None) -> None:
        """Free the slot, if there is one; what is older than `version` comes too late from now on.

        StaleVersionError when a higher version was seen; None removes whatever the version.
        """
        outcome, *found = await self._run(self._remove, proposal_id, version or "", _change())
        if outcome == "stale":
            raise StaleVersionError(int(found[0]))

    async def _run(self, script: Any, proposal_id: UUID, *arguments: str | bytes | int) -> Any:
        async with self._bounded():
            return await script(
                keys=[SESSIONS, TAKEN, FENCES, REVISION, MOVES], args=[str(proposal_id), *arguments]
            )

    @asynccontextmanager
    async def _bounded(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                yield
        except (RedisError, TimeoutError) as error:
            structlog.get_logger().warning("valkey is unavailable", reason=repr(error))
            raise StoreUnavailableError from error


def _change() -> str:
    return str(uuid7())


def _entry(proposal_id: str, value: str) -> tuple[str, Talk]:
    slot_id, _, text = value.partition(" ")
    fields = orjson.loads(text)
    return slot_id, Talk(UUID(proposal_id), *(fields[name] for name in _FIELDS))
