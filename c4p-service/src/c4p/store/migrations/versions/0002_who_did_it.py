"""Actors: subjects of events, reviews, and the record of other actions.

It only adds, so the previous version of the service keeps working: it writes events without a
subject, and knows nothing of the new tables.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("events", sa.Column("subject", sa.Text(), nullable=True))
    op.create_table(
        "reviews",
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("reviewer", sa.Text(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("score BETWEEN 1 AND 5", name=op.f("reviews_score_check")),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposals.id"], name=op.f("reviews_proposal_id_fkey")
        ),
        sa.PrimaryKeyConstraint("proposal_id", "subject", name=op.f("reviews_pkey")),
    )
    op.create_table(
        "actions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("actions_pkey")),
    )


def downgrade() -> None:
    op.drop_table("actions")
    op.drop_table("reviews")
    op.drop_column("events", "subject")
