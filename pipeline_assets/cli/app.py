"""All commands in one place, in the order a newcomer meets them."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline_assets.cli import (
    accept,
    backfill,
    breakers,
    contracts,
    cost,
    demo,
    dlq,
    docs,
    doctor,
    drift,
    drill,
    gates,
    generate,
    health,
    incidents,
    land,
    maintain,
    new,
    plan,
    quarantine,
    query,
    redrive,
    replay,
    rewind,
    run,
    slo,
    status,
    up,
)
from pipeline_assets.cli.border import Border

app = typer.Typer(
    cls=Border,
    help="Turn files that land in a folder into tables that answer queries.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def options(*, debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False) -> None:
    """Turn files that land in a folder into tables that answer queries."""


app.command("demo")(demo.demo)
app.command("new")(new.new)
app.command("land")(land.land)
app.command("generate")(generate.generate)
app.command("run")(run.run)
app.command("up")(up.up)
app.command("status")(status.status)
app.command("gates")(gates.gates)
app.command("accept")(accept.accept)
app.add_typer(plan.app, name="plan")
app.add_typer(backfill.app, name="backfill")
app.command("redrive")(redrive.redrive)
app.command("replay")(replay.replay)
app.command("rewind")(rewind.rewind)
app.command("cost")(cost.cost)
app.command("slo")(slo.slo)
app.command("docs")(docs.docs)
app.command("maintain")(maintain.maintain)
app.command("drift")(drift.drift)
app.add_typer(incidents.app, name="incidents")
app.add_typer(incidents.app, name="incident", hidden=True)  # as one says it of one
app.command("breakers")(breakers.breakers)
app.command("health")(health.health)
app.command("drill")(drill.drill)
app.command("doctor")(doctor.doctor)
app.command("query")(query.query)
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(dlq.app, name="dlq")
app.add_typer(contracts.app, name="contracts")
