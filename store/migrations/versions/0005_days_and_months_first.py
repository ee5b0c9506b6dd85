"""Days and months come first in the indexes of what the runs write"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("point", schema=None) as batch_op:
        batch_op.drop_index("ix_point_lots")
        lots = ["lapses_on", "contract_id", "granted_on", "points"]
        batch_op.create_index("ix_point_lots", lots, unique=False)
    with op.batch_alter_table("statement", schema=None) as batch_op:
        batch_op.drop_index("ix_statement_month")
        batch_op.drop_index(batch_op.f("ix_statement_billing_number"))
    _key("period", "contract_id")


def downgrade() -> None:
    _key("contract_id", "period")
    with op.batch_alter_table("statement", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_statement_billing_number"), ["billing_number"], unique=False)
        batch_op.create_index("ix_statement_month", ["period", "contract_id"], unique=False)
    with op.batch_alter_table("point", schema=None) as batch_op:
        batch_op.drop_index("ix_point_lots")
        batch_op.create_index("ix_point_lots", ["contract_id", "lapses_on"], unique=False)


def _key(*columns: str) -> None:
    with op.batch_alter_table("statement", schema=None) as batch_op:
        if op.get_bind().dialect.name == "postgresql":
            batch_op.drop_constraint("statement_pkey", type_="primary")
        batch_op.create_primary_key("statement_pkey", list(columns))
