"""Operators' list of contracts begins with the newest, and an e-mail says whose they are"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_contract_applied_at", "contract", ["applied_at"])
    op.create_index("ix_party_email", "party", ["email"])


def downgrade() -> None:
    op.drop_index("ix_party_email", "party")
    op.drop_index("ix_contract_applied_at", "contract")
