"""Alembic's entry: migrations run on the connection that `store.migrate` hands over."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from store.types import Json


def render(kind: str, item: Any, _: AutogenContext) -> str | Literal[False]:
    """Types of our own by their name, SQLModel's strings as what they are."""
    if kind == "type" and item is Json:
        return "store.types.Json"
    return "sa.String()" if kind == "type" and type(item).__name__ == "AutoString" else False


given = context.config.attributes
context.configure(
    connection=given["connection"],
    target_metadata=given.get("tables"),
    render_as_batch=True,
    render_item=render,
)
with context.begin_transaction():
    context.run_migrations()
