"""The first schema.

The previous version of the service keeps working on the schema that this leaves.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "call_window",
        sa.Column("single", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("closes_at > opens_at", name=op.f("call_window_order_check")),
        sa.CheckConstraint("single", name=op.f("call_window_single_check")),
        sa.PrimaryKeyConstraint("single", name=op.f("call_window_pkey")),
    )
    op.create_table(
        "consistency_reports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("findings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("consistency_reports_pkey")),
    )
    op.create_index(
        "consistency_reports_checked_at_idx", "consistency_reports", ["checked_at"], unique=False
    )
    op.create_table(
        "proposals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("abstract", sa.Text(), nullable=False),
        sa.Column("speaker_name", sa.Text(), nullable=False),
        sa.Column("speaker_email", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('submitted', 'accepted', 'rejected', 'withdrawn')",
            name=op.f("proposals_state_check"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('accepted', 'rejected') OR decided_at IS NOT NULL",
            name=op.f("proposals_decided_at_check"),
        ),
        sa.CheckConstraint(
            "char_length(abstract) BETWEEN 1 AND 5000", name=op.f("proposals_abstract_check")
        ),
        sa.CheckConstraint(
            "char_length(title) BETWEEN 1 AND 200", name=op.f("proposals_title_check")
        ),
        sa.CheckConstraint("version >= 1", name=op.f("proposals_version_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("proposals_pkey")),
    )
    op.create_index("proposals_state_id_idx", "proposals", ["state", "id"], unique=False)
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("traceparent", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(state = 'waiting') = (next_attempt_at IS NOT NULL)",
            name=op.f("deliveries_next_attempt_at_check"),
        ),
        sa.CheckConstraint(
            "(target = 'agenda') = (kind = 'session')", name=op.f("deliveries_target_kind_check")
        ),
        sa.CheckConstraint(
            "kind IN ('session', 'received', 'accepted', 'rejected', 'withdrawn')",
            name=op.f("deliveries_kind_check"),
        ),
        sa.CheckConstraint(
            "state <> 'delivered' OR delivered_at IS NOT NULL",
            name=op.f("deliveries_delivered_at_check"),
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'delivered', 'failed')", name=op.f("deliveries_state_check")
        ),
        sa.CheckConstraint("target IN ('agenda', 'email')", name=op.f("deliveries_target_check")),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposals.id"], name=op.f("deliveries_proposal_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("deliveries_pkey")),
        sa.UniqueConstraint(
            "proposal_id", "version", "kind", name=op.f("deliveries_proposal_id_version_kind_key")
        ),
    )
    op.create_index(
        "deliveries_due_idx",
        "deliveries",
        ["next_attempt_at"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "deliveries_order_idx", "deliveries", ["proposal_id", "target", "seq"], unique=False
    )
    op.create_table(
        "events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint(
            "kind IN ('submitted', 'edited', 'accepted', 'rejected', 'withdrawn')",
            name=op.f("events_kind_check"),
        ),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposals.id"], name=op.f("events_proposal_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("events_pkey")),
        sa.UniqueConstraint("proposal_id", "version", name=op.f("events_proposal_id_version_key")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.Text(), nullable=False),
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["proposal_id"],
            ["proposals.id"],
            name=op.f("idempotency_keys_proposal_id_fkey"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("idempotency_keys_pkey")),
    )


def downgrade() -> None:
    op.drop_table("idempotency_keys")
    op.drop_table("events")
    op.drop_index("deliveries_order_idx", table_name="deliveries")
    op.drop_index(
        "deliveries_due_idx", table_name="deliveries", postgresql_where=sa.text("state = 'waiting'")
    )
    op.drop_table("deliveries")
    op.drop_index("proposals_state_id_idx", table_name="proposals")
    op.drop_table("proposals")
    op.drop_index("consistency_reports_checked_at_idx", table_name="consistency_reports")
    op.drop_table("consistency_reports")
    op.drop_table("call_window")
