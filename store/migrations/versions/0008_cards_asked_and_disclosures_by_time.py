"""What a card is asked for is put down before the gateway is asked, and disclosures are listed by their time"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "asked",
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("contract_id", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("answer", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("period", "contract_id"),
    )
    op.create_index("ix_disclosure_at", "disclosure", ["at", "purchase_id", "period"])


def downgrade() -> None:
    op.drop_index("ix_disclosure_at", "disclosure")
    op.drop_table("asked")
