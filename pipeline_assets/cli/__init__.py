"""The `sluice` command: one module per group of commands, each a thin shell over the core and the ports."""

from __future__ import annotations


def main() -> None:
    """Run the command line; the entry point of `sluice`."""
    from pipeline_assets.cli.app import app

    app(prog_name="sluice")
