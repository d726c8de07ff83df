"""Keys, required columns and classifications: only what tomorrow's ordinary records will keep, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sluice.datatypes import Timestamp

if TYPE_CHECKING:
    from tests.sluice.inference.conftest import Build, Infer, Lines

MOMENT = "2026-11-01T10:00:00Z"
KEYS: dict[str, tuple[str, list[dict[str, object]], tuple[str, ...]]] = {
    "id": ("events", [{"id": str(n), "kind": n % 3} for n in range(100)], ("id",)),
    "the dataset's own id": ("web_orders", [{"customer_id": n, "order_id": n} for n in range(100)], ("order_id",)),
    "the dataset's own number": (
        "invoices",
        [{"day": 1, "invoice_number": n} for n in range(100)],
        ("invoice_number",),
    ),
    "camel case": ("orders", [{"orderId": n} for n in range(100)], ("orderId",)),
    "a pair": (
        "order_lines",
        [{"order_id": n // 2, "line_no": n % 2, "sku": "a"} for n in range(100)],
        ("order_id", "line_no"),
    ),
    "the first column, in many records": ("clicks", [{"session_id": n} for n in range(1_000)], ("session_id",)),
    "too few records": ("events", [{"id": n} for n in range(99)], ()),
    "one comes twice": ("events", [{"id": n % 99} for n in range(100)], ()),
    "one is missing": ("events", [{"id": n or None} for n in range(100)], ()),
    "another thing's id": ("clicks", [{"user_id": n, "page": "a"} for n in range(100)], ()),
    "another thing's id, not the first column": ("clicks", [{"a": 1, "user_id": n} for n in range(1_000)], ()),
    "a fraction": ("events", [{"id": n + 0.5} for n in range(100)], ()),
    "an instant": ("events", [{"key": f"2026-11-01T10:{n // 60:02}:{n % 60:02}Z"} for n in range(100)], ()),
    "no name of a key": ("events", [{"value": n} for n in range(100)], ()),
}


@pytest.mark.parametrize(("dataset", "records", "key"), KEYS.values(), ids=KEYS.keys())
def test_key_is_what_name_and_values_agree_on(
    infer: Infer, build: Build, lines: Lines, dataset: str, records: list[dict[str, object]], key: tuple[str, ...]
) -> None:
    inferred = infer(dataset, a__jsonl=lines(records))

    assert inferred.contract.primary_key == key
    assert build(inferred, lines(records)).records_published == len(records)


def test_unique_column_that_may_be_unique_by_chance_is_suggested(infer: Infer, lines: Lines) -> None:
    inferred = infer("clicks", a__jsonl=lines([{"user_id": n} for n in range(100)]))

    assert (
        "# primaryKey: true # unique in the sample, which may be chance; a wrong key drops records"
        in inferred.contract_text
    )
    assert "No key declared; user_id is unique in the sample, which may be chance." in inferred.notes


def test_key_that_a_few_records_repeat_is_suggested_with_their_number(infer: Infer, build: Build, lines: Lines) -> None:
    body = lines([*({"id": n} for n in range(200)), {"id": 7}, {"id": None}])

    inferred = infer("orders", a__jsonl=body)

    assert "No key declared; id is unique but for 2 records, which repeat one or have none." in inferred.notes
    assert build(inferred, body).records_published == 202


def test_key_in_two_files_must_be_unique_in_both_together(infer: Infer, lines: Lines) -> None:
    body = lines([{"id": n} for n in range(100)])

    assert infer("customers", a__jsonl=body, b__jsonl=body).contract.primary_key == ()


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"created_at": MOMENT, "updated_at": MOMENT}, "updated_at"),
        ({"created_at": MOMENT, "due": MOMENT}, "created_at"),
        ({"lastModified": MOMENT, "time": MOMENT}, "lastModified"),
        ({"due": MOMENT}, None),
        ({"updated": "yes"}, None),
    ],
    ids=["changed before created", "created", "camel case", "a time of something else", "no instant"],
)
def test_latest_is_told_by_the_instant_of_the_last_change(
    infer: Infer, lines: Lines, columns: dict[str, object], expected: str | None
) -> None:
    inferred = infer("events", a__jsonl=lines([{"id": n} | columns for n in range(100)]))

    assert inferred.contract.order_by == expected


def test_without_a_key_nothing_is_latest(infer: Infer, lines: Lines) -> None:
    inferred = infer("events", a__jsonl=lines([{"updated_at": MOMENT}] * 100))

    assert inferred.contract.order_by is None


def test_keys_and_event_times_are_required_and_nothing_else(infer: Infer, lines: Lines) -> None:
    records = [{"id": n, "created_at": MOMENT, "due": MOMENT, "kind": "a", "at_times": n or None} for n in range(100)]

    inferred = infer("events", a__jsonl=lines(records))

    assert [column.name for column in inferred.contract.columns if column.required] == ["id", "created_at"]


def test_few_records_require_nothing(infer: Infer, lines: Lines) -> None:
    inferred = infer("events", a__jsonl=lines([{"id": n, "created_at": MOMENT} for n in range(99)]))

    assert not any(column.required for column in inferred.contract.columns)


def test_values_and_limits_are_suggested_not_enforced(infer: Infer, build: Build, lines: Lines) -> None:
    inferred = infer("events", a__jsonl=lines([{"kind": "ab"[n % 2], "size": n} for n in range(100)]))

    assert '# enum: [{ value: "a" }, { value: "b" }] # all values' in inferred.contract_text
    assert "# logicalTypeOptions: { minimum: 0 }" in inferred.contract_text
    assert build(inferred, lines([{"kind": "c", "size": -1}])).records_published == 1


@pytest.mark.parametrize(
    ("values", "logical_type"),
    [
        (["n/a", *range(99)], "integer"),
        (["2026-02-30", *["2026-11-01"] * 99], "date"),
        (["soon", *[MOMENT] * 99], "timestamp"),
    ],
    ids=["numbers", "dates", "instants"],
)
def test_type_that_nearly_all_values_fit_is_told(
    infer: Infer, build: Build, lines: Lines, values: list[object], logical_type: str
) -> None:
    body = lines([{"v": value} for value in values])

    inferred = infer("events", a__jsonl=body)

    expected = f"# all but 1 of 100 values fit logicalType {logical_type}; it would refuse those"
    assert expected in inferred.contract_text
    assert build(inferred, body).records_published == 100


def test_guessed_zone_says_so(infer: Infer, lines: Lines) -> None:
    inferred = infer("events", a__jsonl=lines([{"seen": "2026-11-01 10:00:00"}]))

    assert inferred.contract.column("seen").type == Timestamp("Etc/UTC")
    assert "# no time zone in the values: Etc/UTC is a guess, confirm it" in inferred.contract_text
    assert "Time zone guessed (UTC) for seen: the values name none." in inferred.notes


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("email", "none yet", "personal"),
        ("contact", "ada@example.com", "personal"),
        ("source", "192.0.2.7", "personal"),
        ("lastName", "Lovelace", "personal"),
        ("product_name", "Lamp", None),
        ("version", "1.2.3", None),
        ("email_count", 7, None),
    ],
    ids=["name", "email", "address", "two words", "a name of a thing", "numbers with points", "a number"],
)
def test_personal_data_is_classified(
    infer: Infer, lines: Lines, name: str, value: object, expected: str | None
) -> None:
    inferred = infer("events", a__jsonl=lines([{name: value}] * 10))

    assert inferred.contract.column(name).classification == expected
