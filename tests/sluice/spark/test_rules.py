from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sluice.contract_file import read_contract
from sluice.cost.estimate import estimate, priced_engine
from sluice.cost.price_book import parse
from sluice.cost.rules import CostRules, Engine
from sluice.errors import ContractProblems
from sluice.spark.rules import EngineRules
from tests.sluice.spark.test_job import CONTRACT, TEXT

if TYPE_CHECKING:
    from sluice.contract import Contract

BOOK = Path(__file__).parents[3] / "deploy" / "prices" / "aws.yaml"
PRICES = parse(BOOK.read_text("utf-8"), str(BOOK))


def asking(engine: str) -> Contract:
    settings = f"customProperties: [{{property: sluice, value: {{engine: {engine}}}}}]\n"
    return read_contract(TEXT + settings, path="events/contract.yaml")


@pytest.mark.parametrize(
    ("written", "rules"),
    [
        ("spark", EngineRules(0)),
        ("duckdb", EngineRules(None)),
        ("{spark_above_bytes: 20 GB}", EngineRules(20_000_000_000)),
        ("{}", EngineRules(None)),
    ],
)
def test_a_contract_says_from_how_many_bytes_on_it_is_spark(written: str, rules: EngineRules) -> None:
    assert asking(written).engine == rules


@pytest.mark.parametrize("written", ["sprak", "{spark_over: 1}", "{spark_above_bytes: lots}", "7"])
def test_another_engine_is_refused(written: str) -> None:
    with pytest.raises(ContractProblems, match="engine"):
        asking(written)


def test_the_engine_changes_no_row_and_so_no_fingerprint() -> None:
    assert asking("spark").fingerprint == CONTRACT.fingerprint


@pytest.mark.parametrize(("size", "is_spark"), [(99, False), (100, True), (101, True)])
def test_the_threshold_itself_is_spark(size: int, is_spark: bool) -> None:  # noqa: FBT001
    assert EngineRules(100).is_spark(size) is is_spark


@pytest.mark.parametrize(
    ("usual", "size", "billed"),
    [
        (Engine.FARGATE, 99, Engine.FARGATE),
        (Engine.FARGATE, 100, Engine.GLUE),
        (Engine.LOCAL, 100, Engine.LOCAL),
    ],
)
def test_spark_is_billed_as_glue_bills_it(usual: Engine, size: int, billed: Engine) -> None:
    contract = replace(CONTRACT, engine=EngineRules(100), cost=CostRules(engine=usual))

    assert priced_engine(contract, size) is billed


def test_an_estimate_knows_what_spark_takes_and_costs() -> None:
    on_spark = replace(CONTRACT, engine=EngineRules(0))

    small, large = (estimate(item, 10**9, 1, (), PRICES, already_staged=False) for item in (CONTRACT, on_spark))

    assert large.seconds > small.seconds
    assert large.usd > small.usd
