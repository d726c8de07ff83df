"""Whatever JSON objects come: the contract inferred from them lets every one through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.sluice.inference.conftest import Build, Infer, Lines

TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.sampled_from(["", " ", "0", "007", "+1", "1e5", "NaN", "true", "2026-11-01", "2026-11-01T10:00:00", "{", "[1]"]),
    st.datetimes().map(str),
    st.dates().map(str),
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS)
NAMES = st.sampled_from(["id", "a", "A", "b", "amount", "a.b", "x y", "ü", ""])
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=6
)
RECORDS = st.lists(st.dictionaries(NAMES, VALUES, max_size=5), min_size=1, max_size=8).filter(
    lambda records: any(name for record in records for name in record)
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(RECORDS)
def test_every_record_passes(infer: Infer, build: Build, lines: Lines, records: list[dict[str, object]]) -> None:
    body = lines(records)

    built = build(infer("things", a__jsonl=body), body)

    assert (built.records_published, built.reasons) == (len(records), ())
