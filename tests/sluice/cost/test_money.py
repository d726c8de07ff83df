from __future__ import annotations

import pytest

from sluice.cost.money import usd_text
from sluice.cost.quantile import robust_quantile


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        pytest.param(0.0, "0.00", id="nothing"),
        pytest.param(0.000123, "0.000123", id="far below a cent"),
        pytest.param(0.000123456, "0.000123", id="three digits count"),
        pytest.param(0.2, "0.20", id="at least cents"),
        pytest.param(0.2000000001, "0.20", id="noise of floats"),
        pytest.param(0.42, "0.42", id="cents"),
        pytest.param(0.04215, "0.0421", id="parts of cents"),
        pytest.param(0.9999, "1.00", id="rounds up to a dollar"),
        pytest.param(1204.5, "1,204.50", id="thousands"),
        pytest.param(-0.5, "-0.50", id="overdrawn"),
        pytest.param(4.77e-5, "0.0000477", id="never with an exponent"),
    ],
)
def test_money_is_shown_with_the_digits_that_count(usd: float, text: str) -> None:
    assert usd_text(usd) == text


def test_a_wild_month_does_not_move_the_quantile_far() -> None:
    usual = robust_quantile([10.0, 11.0, 9.0, 10.0], 0.9)

    assert robust_quantile([10.0, 11.0, 9.0, 10.0, 1_000.0], 0.9) < 1.8 * usual


@pytest.mark.parametrize(
    ("values", "quantile", "found"),
    [
        pytest.param([7.0], 0.9, 7.0, id="one value"),
        pytest.param([1.0, 2.0, 3.0], 0.5, 2.0, id="median"),
        pytest.param([1.0, 2.0], 0.75, 1.75, id="between"),
        pytest.param([3.0, 1.0, 2.0], 1.0, 3.0, id="greatest, in any order"),
        pytest.param([0.0, 0.0], 0.9, 0.0, id="nothing"),
    ],
)
def test_the_quantile_of_tame_values_is_the_usual_one(values: list[float], quantile: float, found: float) -> None:
    assert robust_quantile(values, quantile) == pytest.approx(found)
