"""The committed vocabulary is that of the installed Great Expectations."""

from __future__ import annotations

import pytest

from sluice.expectations.vocabulary import VERSION, VOCABULARY
from tests.sluice.expectations.generate import installed_vocabulary


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the library's own future
def test_vocabulary_is_what_the_installed_great_expectations_says() -> None:
    import great_expectations

    committed = {
        name: tuple((argument.name, argument.kind, argument.required) for argument in arguments)
        for name, arguments in VOCABULARY.items()
    }

    assert (great_expectations.__version__, installed_vocabulary()) == (VERSION, committed)
