"""docs/contracts.md says what the reader does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sluice.contract_file import read_contract
from sluice.contract_file.datatype import FITTING_TYPES
from sluice.contract_file.rules import ENFORCED_OPTIONS
from sluice.contract_file.settings import CsvSettings, Settings
from sluice.contract_file.time_format import LETTERS

DOCS = (Path(__file__).parents[2] / "docs" / "contracts.md").read_text(encoding="utf-8")
EXAMPLE, SETTINGS_EXAMPLE = re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL)


def test_the_smallest_contract_is_right() -> None:
    assert read_contract(EXAMPLE, path="docs/contracts.md").dataset == "clicks"


def test_the_example_of_settings_is_right() -> None:
    text = EXAMPLE.replace(".jsonl.gz", ".csv").replace("format: jsonl", "format: csv") + SETTINGS_EXAMPLE
    text = text.replace("required: true}", "required: true, primaryKey: true}").replace(
        "order_by: updated_at", "order_by: page"
    )

    assert read_contract(text.replace("[ordered_at]", "[page]"), path="docs/contracts.md").order_by == "page"


@pytest.mark.parametrize(
    "name", [*sorted(Settings.model_fields.keys() - {"csv"}), *(f"csv.{n}" for n in CsvSettings.model_fields)]
)
def test_every_setting_is_described(name: str) -> None:
    assert f"\n| `{name}` |" in DOCS


@pytest.mark.parametrize("name", sorted({name for names in FITTING_TYPES.values() for name in names}))
def test_every_physical_type_is_listed(name: str) -> None:
    assert f"`{name}`" in DOCS


@pytest.mark.parametrize("name", sorted({name for names in ENFORCED_OPTIONS.values() for name in names}))
def test_every_option_is_listed(name: str) -> None:
    assert f"`{name}`" in DOCS


def test_every_letter_of_a_format_is_listed() -> None:
    (listed,) = re.findall(r"Letters: `(.*?)`", DOCS)

    assert set(listed.split()) == set(LETTERS)
