"""`sluice doctor`: is everything there that Sluice needs, and if not, what is to be done."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from pipeline_assets.cli.border import ExitCode
from pipeline_assets.cli.environment import CHECKOUT, Environment, open_environment, process_variables
from pipeline_assets.cli.output import AsJson, print_json, standard_output
from sluice.errors import ContractError, CredentialsInvalid, SettingInvalid, UnresolvedReference
from sluice.wording import counted

if TYPE_CHECKING:
    from sluice.checked import Checked

_MARKS = {"good": ("ok", "green"), "advice": ("!", "yellow"), "broken": ("x", "red")}


Fix = Annotated[bool, typer.Option("--fix", help="Make the ledger's table in DynamoDB, or complete it.")]


def doctor(*, fix: Fix = False, as_json: AsJson = False) -> None:
    """Check the environment; exit code 1 when something is broken."""
    found: list[Checked] = []
    for checked in _check(fix=fix):
        found.append(checked)
        if not as_json:
            _show(checked)
    if as_json:
        print_json({"what": c.what, "state": c.state.value, "found": c.found, "cure": c.cure or None} for c in found)
    if any(checked.state == "broken" for checked in found):
        raise typer.Exit(ExitCode.FAILED)


def _check(*, fix: bool) -> Iterator[Checked]:
    from resources.local_checkup import check_machine
    from resources.reference_checkup import check_references
    from resources.topic_checkup import check_topics
    from sluice.checked import broken, good

    references = list(check_references(process_variables()))
    yield from references
    try:
        environment = open_environment()
    except (CredentialsInvalid, SettingInvalid, UnresolvedReference) as error:
        if not any(checked.state == "broken" for checked in references):  # it was told there
            yield broken("settings", error.message, error.cure)
        return
    settings = environment.settings
    yield good("settings", f"SLUICE_ENV={settings.deployment.value}, state in {settings.home}")
    yield _check_contracts(environment)
    yield from check_machine(settings)
    yield from check_topics(environment.variables)
    if settings.s3 is not None:
        from resources.s3_checkup import check_s3

        for checked in check_s3(settings.s3, environment.clock):
            yield checked
            if (checked.what, checked.state) == ("credentials", "broken"):
                return  # every other service would say the same
    if settings.s3 is not None and settings.queue is not None:
        from resources.sqs_checkup import check_queue

        yield from check_queue(settings.queue, settings.s3)
    if settings.dynamo is not None:
        from resources.dynamo_checkup import check_dynamo

        yield from check_dynamo(settings.dynamo, fix=fix)
    if settings.glue is not None:
        from resources.glue_checkup import check_glue

        yield from check_glue(settings.glue)
    yield from _check_spark(environment)


def _check_spark(environment: Environment) -> Iterator[Checked]:
    """Only where a contract asks for it: it is large, and most need none."""
    try:
        is_wanted = any(item.engine.spark_above_bytes is not None for item in environment.contracts.values())
    except ContractError:  # told above
        return
    if is_wanted:
        from resources.spark_checkup import check_spark

        yield check_spark(environment.settings, CHECKOUT)


def _check_contracts(environment: Environment) -> Checked:
    from sluice.checked import broken, good

    try:
        return good("contracts", f"{counted(len(environment.contracts), 'dataset')}")
    except ContractError as error:
        return broken("contracts", error.message.strip(), error.cure)


def _show(checked: Checked) -> None:
    mark, style = _MARKS[checked.state]
    line = Text.assemble((f"{mark:<3}", style), (f"{checked.what:<16}", "bold"), checked.found)
    console = standard_output()
    console.print(line, soft_wrap=True)
    if checked.cure:
        console.print(Text(f"{'':<19}{checked.cure}", style=style), soft_wrap=True)
