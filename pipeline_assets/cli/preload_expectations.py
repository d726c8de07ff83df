"""Great Expectations, all a run imports of it, where a contract has an expectation that SQL does not judge.

Only the fork server imports this, once: 2 seconds and 120 MB that its workers then share. A contract that comes later
is judged as well, but its runs import the library themselves until the server is started again.
"""

from __future__ import annotations

import warnings

from pipeline_assets.cli.environment import open_environment
from sluice.errors import SluiceError
from sluice.expectations.judging import leaves_a_rest


def is_needed() -> bool:
    try:
        return any(leaves_a_rest(contract) for contract in open_environment().contracts.values())
    except SluiceError:  # the code server says what is wrong with a contract, to whom it concerns
        return False


def load() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library and pandas warn of their own future
        import great_expectations.core.expectation_suite
        import great_expectations.data_context.types.base
        import great_expectations.datasource.fluent
        import great_expectations.expectations.core
        import great_expectations.expectations.expectation_configuration  # noqa: F401  they are imported to be there


if is_needed():
    load()
