"""The tables of PostgreSQL; what the code forgets, their constraints refuse."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    }
)

_TIME = DateTime(timezone=True)

proposals = Table(
    "proposals",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("title", Text, nullable=False),
    Column("abstract", Text, nullable=False),
    Column("speaker_name", Text, nullable=False),
    Column("speaker_email", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("submitted_at", _TIME, nullable=False),
    Column("updated_at", _TIME, nullable=False),
    Column("decided_at", _TIME),
    Column("message", Text),
    CheckConstraint("state IN ('submitted', 'accepted', 'rejected', 'withdrawn')", "state"),
    CheckConstraint("version >= 1", "version"),
    CheckConstraint("char_length(title) BETWEEN 1 AND 200", "title"),
    CheckConstraint("char_length(abstract) BETWEEN 1 AND 5000", "abstract"),
    CheckConstraint(
        "state NOT IN ('accepted', 'rejected') OR decided_at IS NOT NULL", "decided_at"
    ),
    Index("proposals_state_id_idx", "state", "id"),
)

events = Table(
    "events",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("proposal_id", Uuid, ForeignKey("proposals.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("actor", Text, nullable=False),
    # Nobody's for an open submission, a signed link, and what happened before there was sign-in.
    Column("subject", Text),
    Column("at", _TIME, nullable=False),
    Column("data", JSONB, nullable=False),
    CheckConstraint("kind IN ('submitted', 'edited', 'accepted', 'rejected', 'withdrawn')", "kind"),
    # One event a version: two changes from the same state can't both be written.
    UniqueConstraint("proposal_id", "version"),
)

reviews = Table(
    "reviews",
    metadata,
    # One for each person: who reviews again replaces theirs.
    Column("proposal_id", Uuid, ForeignKey("proposals.id"), primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("reviewer", Text, nullable=False),
    Column("score", Integer, nullable=False),
    Column("comment", Text, nullable=False),
    Column("at", _TIME, nullable=False),
    CheckConstraint("score BETWEEN 1 AND 5", "score"),
)

actions = Table(
    "actions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("subject", Text),
    Column("at", _TIME, nullable=False),
    Column("data", JSONB, nullable=False),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("seq", BigInteger, Identity(always=True), nullable=False),
    Column("proposal_id", Uuid, ForeignKey("proposals.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("target", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("data", JSONB, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("created_at", _TIME, nullable=False),
    Column("requested_at", _TIME, nullable=False),
    Column("next_attempt_at", _TIME),
    Column("delivered_at", _TIME),
    Column("last_error", Text),
    Column("traceparent", Text),
    CheckConstraint("target IN ('agenda', 'email')", "target"),
    CheckConstraint("kind IN ('session', 'received', 'accepted', 'rejected', 'withdrawn')", "kind"),
    CheckConstraint("(target = 'agenda') = (kind = 'session')", "target_kind"),
    CheckConstraint("state IN ('waiting', 'delivered', 'failed')", "state"),
    CheckConstraint("(state = 'waiting') = (next_attempt_at IS NOT NULL)", "next_attempt_at"),
    CheckConstraint("state <> 'delivered' OR delivered_at IS NOT NULL", "delivered_at"),
    # A change tells each thing once, however often its request is repeated.
    UniqueConstraint("proposal_id", "version", "kind"),
    Index("deliveries_due_idx", "next_attempt_at", postgresql_where=text("state = 'waiting'")),
    Index("deliveries_order_idx", "proposal_id", "target", "seq"),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("key", Text, primary_key=True),
    Column("request_hash", Text, nullable=False),
    Column(
        "proposal_id",
        Uuid,
        # Checked at commit: the key is claimed before the proposal is written.
        ForeignKey("proposals.id", deferrable=True, initially="DEFERRED"),
        nullable=False,
    ),
    Column("created_at", _TIME, nullable=False),
)

call_window = Table(
    "call_window",
    metadata,
    Column("single", Boolean, primary_key=True, server_default=text("true")),
    Column("opens_at", _TIME),
    Column("closes_at", _TIME),
    CheckConstraint("single", "single"),
    CheckConstraint("closes_at > opens_at", "order"),
)

consistency_reports = Table(
    "consistency_reports",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("checked_at", _TIME, nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("findings", JSONB, nullable=False),
    Index("consistency_reports_checked_at_idx", "checked_at"),
)
