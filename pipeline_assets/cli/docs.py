"""`sluice docs`: a web site of what was expected of each partition and what came of it."""

from __future__ import annotations

import webbrowser
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

import typer

from pipeline_assets.cli.environment import Environment, open_environment
from pipeline_assets.cli.output import say
from resources.object_store import ObjectStore
from sluice.wording import counted

ZONE = "quality"
"""`quality/<dataset>/date=D/<version>/` holds suite.json and validation.json of each judged version."""


class Open(StrEnum):
    YES = "yes"
    NO = "no"


def docs(
    *,
    dataset: Annotated[str | None, typer.Option(help="Only this dataset.")] = None,
    open_site: Annotated[Open, typer.Option("--open", help="Show the site in a browser.")] = Open.NO,
) -> None:
    """Build Great Expectations' Data Docs from the stored results of expectations."""
    environment = open_environment()
    if dataset is not None:
        environment.contract(dataset)
    stored = list(_stored(environment.store, dataset))
    if not stored:
        about = f" of {dataset}" if dataset else ""
        say(f"No results of expectations{about} are stored yet: add `quality` to a contract, then run a partition.")
        return
    _build(environment, stored, open_site)


def _build(environment: Environment, stored: list[tuple[str, str]], open_site: Open) -> None:
    from resources.great_expectations_engine import build_data_docs

    index = build_data_docs(stored, environment.settings.home / "docs")
    suites = len({suite for suite, _ in stored})
    say(f"{index}: {counted(suites, 'suite')}, {counted(len(stored), 'validation')}")
    if open_site is Open.YES:
        webbrowser.open(index.as_uri())


def _stored(store: ObjectStore, dataset: str | None) -> Iterator[tuple[str, str]]:
    """Yield (suite, validation) in key order; a version has both or does not count."""
    prefix = f"{ZONE}/{dataset}/" if dataset else f"{ZONE}/"
    keys = {listed.key for listed in store.list(prefix)}
    for key in sorted(keys):
        folder, _, name = key.rpartition("/")
        if name == "validation.json" and f"{folder}/suite.json" in keys:
            yield _text(store, f"{folder}/suite.json"), _text(store, key)


def _text(store: ObjectStore, key: str) -> str:
    with store.open(key) as file:
        return file.read().decode()
