"""The store of the agenda, in Valkey: every change is one Lua script, which runs as one step."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

import orjson
from uuid_utils.compat import uuid7

from agenda.domain import (
    Actor,
    AgendaFullError,
    Move,
    Schedule,
    SessionNotFoundError,
    SlotTakenError,
    StaleVersionError,
    Talk,
)
from servicekit.valkey import Script, Valkey

# The braces keep all keys on one node of a cluster, as scripts need.
SESSIONS = "{agenda}:sessions"
"""Hash: proposal id → slot id, a space, and the talk as JSON."""
TAKEN = "{agenda}:taken"
"""Hash: slot id → proposal id."""
FENCES = "{agenda}:fences"
"""Hash: proposal id → the highest version seen, kept when the session goes."""
REVISION = "{agenda}:revision"
"""String: a new unique id with each change, so that two agendas never have the same.

A counter would not do: after a failover that lost the last writes it would use their numbers again.
"""
MOVES = "{agenda}:moves"
"""Hash: proposal id → the last move of its session as JSON, removed with the session."""

# The stored talk has its fields by name, so that a release that adds a field and the release before
# it can read what the other has written.
_FIELDS = ("title", "abstract", "speaker", "version")

# With `#!lua` a server that is out of memory refuses the whole script instead of stopping half-way.
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
local proposal, slot, move, change = unpack(ARGV)
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
    redis.call('HSET', moves, proposal, move)
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
    """Valkey fails or takes too long; a change may have been made all the same."""

    def __init__(self) -> None:
        super().__init__("The agenda's store is unavailable just now.")


class Store:
    """The store of the agenda; as a context manager it closes its connections at the end.

    Every method takes `timeout_seconds` at most, and raises StoreUnavailableError when it fails.
    """

    def __init__(self, url: str, timeout_seconds: float) -> None:
        self._valkey = Valkey(url, timeout_seconds, lambda _: StoreUnavailableError())
        self._put = self._valkey.script(_PUT)
        self._move = self._valkey.script(_MOVE)
        self._remove = self._valkey.script(_REMOVE)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._valkey.close()

    async def read_revision(self) -> str:
        """Return the revision of the agenda, empty before the first change: one small read."""
        async with self._valkey.commands() as client:
            return str(await client.get(REVISION) or "")

    async def read_all(self) -> tuple[str, dict[str, Talk]]:
        """Return the revision of the agenda, and its talks by slot id."""
        async with (
            self._valkey.commands() as client,
            client.pipeline(transaction=True) as pipeline,
        ):
            pipeline.get(REVISION)
            pipeline.hgetall(SESSIONS)
            revision, sessions = await pipeline.execute()
        entries = (_parse_session(proposal_id, text) for proposal_id, text in sessions.items())
        return revision or "", dict(entries)

    async def find_talk(self, proposal_id: UUID) -> tuple[str, Talk]:
        """Return the slot id and the talk of a proposal, or raise SessionNotFoundError."""
        async with self._valkey.commands() as client:
            text = await client.hget(SESSIONS, str(proposal_id))
        if text is None:
            raise SessionNotFoundError(proposal_id)
        return _parse_session(str(proposal_id), str(text))

    async def put_talk(self, talk: Talk, schedule: Schedule) -> tuple[str, bool]:
        """Write a talk into the slot that it has, or else into the first free one of `schedule`.

        Return the slot id, and True if the talk was given this slot just now. Raise
        AgendaFullError, or StaleVersionError when a higher version was seen before.
        """
        text = orjson.dumps({name: getattr(talk, name) for name in _FIELDS})
        slots = f" {' '.join(schedule.slots)} "
        outcome, *found = await self._run(
            self._put, talk.proposal_id, talk.version, text, slots, _new_revision()
        )
        if outcome == "full":
            raise AgendaFullError
        if outcome == "stale":
            raise StaleVersionError(int(found[0]))
        return found[0], outcome == "new"

    async def move_talk(self, proposal_id: UUID, slot_id: str, move: Move) -> Talk:
        """Move a talk to a slot, record `move`, and return the talk.

        Raise SessionNotFoundError, or SlotTakenError when another talk has the slot. A talk that
        is in this slot already has not moved, so nothing is recorded.
        """
        text = orjson.dumps(
            {"name": move.actor.name, "subject": move.actor.subject, "at": move.at.isoformat()}
        )
        outcome, *found = await self._run(self._move, proposal_id, slot_id, text, _new_revision())
        if outcome == "unknown":
            raise SessionNotFoundError(proposal_id)
        if outcome == "taken":
            raise SlotTakenError(_parse_session(*found)[1])
        return _parse_session(str(proposal_id), found[0])[1]

    async def find_last_move(self, proposal_id: UUID) -> Move | None:
        """Return the last move of a session; None when it was never moved."""
        async with self._valkey.commands() as client:
            text = await client.hget(MOVES, str(proposal_id))
        if text is None:
            return None
        fields = orjson.loads(text)
        actor = Actor(fields["name"], fields["subject"])
        return Move(actor, datetime.fromisoformat(fields["at"]))

    async def remove_talk(self, proposal_id: UUID, version: int | None) -> None:
        """Remove a talk, if it is there, and refuse versions older than `version` from now on.

        Raise StaleVersionError when a higher version was seen before; None removes the talk
        whatever its version.
        """
        outcome, *found = await self._run(self._remove, proposal_id, version or "", _new_revision())
        if outcome == "stale":
            raise StaleVersionError(int(found[0]))

    async def _run(self, script: Script, proposal_id: UUID, *arguments: str | bytes | int) -> Any:
        keys = (SESSIONS, TAKEN, FENCES, REVISION, MOVES)
        return await script(keys, (str(proposal_id), *arguments))


def _new_revision() -> str:
    return str(uuid7())


def _parse_session(proposal_id: str, text: str) -> tuple[str, Talk]:
    """Return the slot id and the talk of a value of SESSIONS."""
    slot_id, _, talk = text.partition(" ")
    fields = orjson.loads(talk)
    return slot_id, Talk(UUID(proposal_id), *(fields[name] for name in _FIELDS))
