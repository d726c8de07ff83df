"""Where errors become one line with a cure and an exit code. docs/cli.md lists the codes."""

from __future__ import annotations

import logging
from enum import IntEnum
from typing import Any

import typer
from typer.core import TyperGroup

from pipeline_assets.cli.output import warn
from sluice.errors import (
    AcceptanceRefused,
    BackfillRefused,
    ContractError,
    DatasetExists,
    DatasetUnknown,
    GenerationRefused,
    LandingRefused,
    LetterUnknown,
    PriceBookInvalid,
    QueryError,
    QueryFailed,
    QueryTooLarge,
    QueueNotSet,
    RedriveRefused,
    ReplayRefused,
    RewindRefused,
    SampleRefused,
    SettingInvalid,
    SluiceError,
    UnresolvedReference,
)


class ExitCode(IntEnum):
    DONE = 0
    FAILED = 1  # something went wrong while working
    USAGE = 2  # what was typed cannot be used: option, dataset, file, SQL; nothing was changed
    CONTRACT = 3  # a contract is wrong


class Border(TyperGroup):
    """The command group that turns a SluiceError into its message; `--debug` lets the traceback through."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401  Typer's context and result types are private to it
        try:
            return super().invoke(ctx)
        except SluiceError as error:
            if ctx.params.get("debug"):
                raise
            _tell(error)
            raise typer.Exit(exit_code_of(error)) from error


def _tell(error: SluiceError) -> None:
    from resources.telemetry import writes_json

    if writes_json():
        logging.getLogger("sluice").error("%s %s", error.message, error.cure)
        return
    warn(f"Error: {error.message}", style="red")
    warn(error.cure)


def exit_code_of(error: SluiceError) -> ExitCode:
    match error:
        case QueryFailed() | QueryTooLarge():
            return ExitCode.FAILED
        case DatasetUnknown() | DatasetExists() | LandingRefused() | QueryError() | SampleRefused() | SettingInvalid():
            return ExitCode.USAGE
        case AcceptanceRefused() | BackfillRefused() | PriceBookInvalid() | RedriveRefused() | RewindRefused():
            return ExitCode.USAGE
        case GenerationRefused() | LetterUnknown() | QueueNotSet() | ReplayRefused() | UnresolvedReference():
            return ExitCode.USAGE
        case ContractError():
            return ExitCode.CONTRACT
        case _:
            return ExitCode.FAILED
