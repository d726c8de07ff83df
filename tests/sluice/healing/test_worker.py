from __future__ import annotations

import pytest

from sluice.healing.worker import Worker


@pytest.mark.parametrize(
    "worker",
    [
        pytest.param(Worker(7), id="the number alone"),
        pytest.param(Worker(7, "host", "boot", "12345"), id="all that is known"),
        pytest.param(Worker(7, "host", "", "Sat Nov 21 15:24:16 2026 a/b"), id="a slash in the last part"),
    ],
)
def test_what_is_written_is_read_back(worker: Worker) -> None:
    assert Worker.parse(str(worker)) == worker


def test_anything_else_is_no_worker() -> None:
    with pytest.raises(ValueError, match="unpack"):
        Worker.parse("7")
