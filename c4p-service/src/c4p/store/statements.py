"""The statement that writes a change of a proposal.

A change is one statement, since a round trip costs more than what PostgreSQL does in it: the key of
the request if it has one, the proposal, its event, its deliveries, and the notification that wakes
the outbox. Nothing at all is written when the key was there before, or when another version was
read.
"""

from typing import Any

from sqlalchemy import DateTime, Integer, Text, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

_TIME = DateTime(timezone=True)
_PARAMETERS: dict[str, TypeEngine[Any]] = {
    "id": Uuid(),
    "title": Text(),
    "abstract": Text(),
    "speaker_name": Text(),
    "speaker_email": Text(),
    "state": Text(),
    "version": Integer(),
    "submitted_at": _TIME,
    "updated_at": _TIME,
    "decided_at": _TIME,
    "message": Text(),
    "event_id": Uuid(),
    "kind": Text(),
    "actor": Text(),
    "subject": Text(),
    "at": _TIME,
    "event_data": JSONB(),
    "deliveries": JSONB(),
    "traceparent": Text(),
    "key": Text(),
    "request_hash": Text(),
}

NOTIFY_CHANNEL = "deliveries"
"""The channel on which the outbox listens."""

SAVE_CHANGE = text(
    """
    WITH claimed AS (
        INSERT INTO idempotency_keys (key, request_hash, proposal_id, created_at)
        SELECT :key, :request_hash, :id, :at WHERE CAST(:key AS text) IS NOT NULL
        ON CONFLICT DO NOTHING
        RETURNING key),
    changed AS (
        INSERT INTO proposals (
            id, title, abstract, speaker_name, speaker_email, state, version,
            submitted_at, updated_at, decided_at, message)
        SELECT :id, :title, :abstract, :speaker_name, :speaker_email, :state, :version,
            :submitted_at, :updated_at, :decided_at, :message
        WHERE CAST(:key AS text) IS NULL OR EXISTS (SELECT FROM claimed)
        ON CONFLICT (id) DO UPDATE SET
            title = excluded.title,
            abstract = excluded.abstract,
            speaker_name = excluded.speaker_name,
            state = excluded.state,
            version = excluded.version,
            updated_at = excluded.updated_at,
            decided_at = excluded.decided_at,
            message = excluded.message
        WHERE proposals.version = excluded.version - 1
        RETURNING id),
    recorded AS (
        INSERT INTO events (id, proposal_id, version, kind, actor, subject, at, data)
        SELECT :event_id, changed.id, :version, :kind, :actor, :subject, :at, :event_data
        FROM changed),
    queued AS (
        INSERT INTO deliveries (
            id, proposal_id, version, target, kind, state, data, generation, attempts, failures,
            created_at, requested_at, next_attempt_at, traceparent)
        SELECT new.id, changed.id, :version, new.target, new.kind, 'waiting', new.data, 1, 0, 0,
            :at, :at, :at, :traceparent
        FROM changed, jsonb_to_recordset(:deliveries)
            AS new (id uuid, target text, kind text, data jsonb)
        RETURNING id),
    notified AS (SELECT pg_notify(:channel, '') FROM queued)
    SELECT (SELECT count(*) FROM changed) AS written, (SELECT count(*) FROM notified) AS calls
    """
).bindparams(
    *(bindparam(name, type_=kind) for name, kind in _PARAMETERS.items()),
    bindparam("channel", NOTIFY_CHANNEL, Text()),
)
