"""`make test-chaos ARGS="--seed 7"` repeats one seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

SEEDS = (1, 2, 3, 4, 5)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, action="append", help="seed of a chaos schedule; may be given more than once")
    parser.addoption("--steps", type=int, default=None, help="only so many steps of each schedule")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", metafunc.config.getoption("--seed") or SEEDS)
