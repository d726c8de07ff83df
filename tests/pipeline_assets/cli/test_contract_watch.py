"""Changed contracts are loaded once, when they are right and nobody writes them any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline_assets.cli.contract_watch import ContractWatch
from sluice.errors import ContractError

if TYPE_CHECKING:
    from pathlib import Path


class Loads:
    def __init__(self) -> None:
        self.reloaded = 0
        self.error: ContractError | None = None

    def check(self) -> None:
        if self.error is not None:
            raise self.error

    def reload(self) -> None:
        self.reloaded += 1


@pytest.fixture
def loads() -> Loads:
    return Loads()


@pytest.fixture
def contract(tmp_path: Path) -> Path:
    path = tmp_path / "orders/contract.yaml"
    path.parent.mkdir()
    path.write_text("version: 1")
    return path


@pytest.fixture
def watch(tmp_path: Path, contract: Path, loads: Loads) -> ContractWatch:
    assert contract.exists()
    return ContractWatch([tmp_path], loads.check, loads.reload)


def test_unchanged_contracts_are_left_alone(watch: ContractWatch, loads: Loads) -> None:
    assert [watch.look(), watch.look()] == [False, False]
    assert loads.reloaded == 0


def test_a_changed_contract_is_loaded_once_it_has_settled(watch: ContractWatch, loads: Loads, contract: Path) -> None:
    contract.write_text("version: 1.1")

    assert [watch.look(), watch.look(), watch.look()] == [False, True, False]
    assert loads.reloaded == 1


def test_a_new_dataset_and_a_changed_query_count_as_well(watch: ContractWatch, loads: Loads, contract: Path) -> None:
    contract.with_name("transform.sql").write_text("select 1")
    watch.look()
    watch.look()
    contract.unlink()
    watch.look()
    watch.look()

    assert loads.reloaded == 2


def test_a_proposal_beside_it_changes_nothing(watch: ContractWatch, loads: Loads, contract: Path) -> None:
    contract.with_name("contract.proposed.yaml").write_text("version: 1.1")

    assert [watch.look(), watch.look()] == [False, False]
    assert loads.reloaded == 0


def test_a_wrong_contract_is_said_once_and_not_loaded_until_it_is_right(
    watch: ContractWatch, loads: Loads, contract: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loads.error = ContractError("orders is wrong.", cure="Mend it.")
    contract.write_text("version: broken")
    assert [watch.look(), watch.look(), watch.look()] == [False, False, False]
    assert "orders is wrong. Mend it." in capsys.readouterr().out.replace("\n", " ")

    loads.error = None
    contract.write_text("version: mended")
    assert [watch.look(), watch.look()] == [False, True]
    assert loads.reloaded == 1
