"""Mails of a run that their mailboxes put off are known apart, and since when"""

import sqlalchemy as sa
from alembic import op

import store.types

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("delivery", sa.Column("put_off_since", store.types.Instant(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("delivery", "put_off_since")
