"""The `keiyaku` command."""

from __future__ import annotations

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)


@app.command()
def up() -> None:
    """Run the whole service on this machine."""


def main() -> None:
    """Entry point of the `keiyaku` script."""
    app()
