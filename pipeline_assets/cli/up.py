"""`sluice up`: the web server and the daemon, in the foreground."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline_assets.cli.environment import open_environment


def up(
    *,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the web server.")] = 3000,
    host: Annotated[str, typer.Option(help="Address to listen on; there is no login, so keep it local.")] = "127.0.0.1",
) -> None:
    """Start Dagster's web server and daemon; stop both with Ctrl-C."""
    from pipeline_assets.cli.service import serve

    serve(open_environment(), host=host, port=port)
