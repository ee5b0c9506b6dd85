"""Contracts are found by their party, links by their contract; remembered answers are looked for by key only"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_contract_party_id", "contract", ["party_id"])
    op.create_index("ix_membership_link_contract_id", "membership_link", ["contract_id"])
    op.drop_index("ix_answer_received_at", "answer")


def downgrade() -> None:
    op.create_index("ix_answer_received_at", "answer", ["received_at"])
    op.drop_index("ix_membership_link_contract_id", "membership_link")
    op.drop_index("ix_contract_party_id", "contract")
