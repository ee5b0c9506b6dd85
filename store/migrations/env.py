"""Alembic's entry: migrations run on the connection that `store.migrate` hands over."""

from alembic import context
from sqlmodel import SQLModel

import store.tables  # noqa: F401  (fills the metadata)

from store.types import Json


def render(kind: str, item: object, _: object) -> str | bool:
    """Types of our own by their name."""
    return "store.types.Json" if kind == "type" and item is Json else False


connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True, render_item=render)
with context.begin_transaction():
    context.run_migrations()
