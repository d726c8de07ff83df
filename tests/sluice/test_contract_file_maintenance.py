"""What `maintenance` says, and what is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sluice.contract import fingerprint_of, rules_fingerprint_of
from sluice.contract_file import read_contract
from sluice.errors import ContractProblems
from sluice.maintenance.policy import MaintenancePolicy
from tests.sluice.test_contract_file_healing import with_healing as with_settings


def read(*lines: str) -> MaintenancePolicy:
    return read_contract(with_settings("maintenance:", *lines), path="contract.yaml").maintenance


def test_all_fields_are_read() -> None:
    written = read(
        "  keep_snapshots: 10",
        "  keep_days: 30",
        "  target_file_bytes: 256 MB",
        "  compact_after: 2 d",
        "  grace: 48 h",
    )

    assert written == MaintenancePolicy(10, 30, 256_000_000, timedelta(days=2), timedelta(hours=48))


def test_what_is_left_out_is_as_usual() -> None:
    assert read("  keep_days: 30") == MaintenancePolicy(keep_days=30)
    assert read_contract(with_settings("start: 2026-11-01"), path="c").maintenance == MaintenancePolicy()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param("keep_snapshots: 0", "from 1 to 300", id="no snapshot"),
        pytest.param("keep_snapshots: 301", "from 1 to 300", id="more than publishing keeps"),
        pytest.param("keep_days: -1", "from 0 to 3,650", id="a time to come"),
        pytest.param("keep_days: true", "from 0 to 3,650", id="no number"),
        pytest.param("target_file_bytes: big", "number of bytes", id="no size"),
        pytest.param("grace: 5 min", "longest run", id="a grace that runs outlast"),
        pytest.param("keep_day: 3", 'Did you mean "keep_days"', id="an unknown field"),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(line: str, said: str) -> None:
    with pytest.raises(ContractProblems, match=said) as refused:
        read(f"  {line}")

    assert "contract.yaml:16" in str(refused.value)


def test_it_changes_no_fingerprint() -> None:
    plain = read_contract(with_settings("start: 2026-11-01"), path="c")
    changed = read_contract(with_settings("start: 2026-11-01", "maintenance: {keep_days: 30}"), path="c")

    assert fingerprint_of(plain) == fingerprint_of(changed)
    assert rules_fingerprint_of(plain) == rules_fingerprint_of(changed)
