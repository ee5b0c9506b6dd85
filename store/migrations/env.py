"""Alembic's entry: migrations run on the connection that `store.migrate` hands over."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

import store.ledger  # with the next one it fills the metadata
import store.tables  # noqa: F401
from store.types import Json


def render(kind: str, item: Any, _: AutogenContext) -> str | Literal[False]:
    """Types of our own by their name, SQLModel's strings as what they are."""
    if kind == "type" and item is Json:
        return "store.types.Json"
    return "sa.String()" if kind == "type" and isinstance(item, AutoString) else False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True, render_item=render
)
with context.begin_transaction():
    context.run_migrations()
