"""The same objects through DuckDB and through Spark: every record must end in the same place, for the same reasons."""

from __future__ import annotations

from random import Random

import pytest

from sluice.healing.failure import FailureClass
from tests.spark.differential import Engines
from tests.spark.kinds import ALL, RECORDS, valid

pytestmark = [pytest.mark.spark, pytest.mark.xdist_group("spark")]

NAMES = [kind.__name__ for kind in ALL]


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Engines:
    kinds = {kind.__name__: kind(Random(7)) for kind in ALL}
    overwritten = {"overwritten": valid(Random(7)), "of_another_version": valid(Random(7))}
    found = Engines(tmp_path_factory.mktemp("engines"), kinds | overwritten)
    found.overwrite("overwritten")
    found.run_spark(older="of_another_version")
    return found


@pytest.mark.parametrize("kind", NAMES)
def test_every_record_ends_where_duckdb_puts_it(engines: Engines, kind: str) -> None:
    by_spark, by_duckdb = engines.by_spark(kind), engines.by_duckdb(kind)

    assert by_spark.published == by_duckdb.published
    assert by_spark.quarantined == by_duckdb.quarantined
    assert by_spark.objects == by_duckdb.objects
    assert by_spark.reasons == by_duckdb.reasons
    assert by_spark.unknown_fields == by_duckdb.unknown_fields
    assert by_spark.drift == by_duckdb.drift
    assert by_spark.types == by_duckdb.types


def test_an_object_that_was_overwritten_stops_the_job_as_it_stops_a_run(engines: Engines) -> None:
    failure = engines.result("overwritten").failure

    assert failure is not None
    assert (failure.failure_class, failure.kind) == (FailureClass.TRANSIENT, "sluice.errors.RawObjectChanged")


def test_a_job_refuses_a_contract_that_its_code_reads_otherwise(engines: Engines) -> None:
    failure = engines.result("of_another_version").failure

    assert failure is not None
    assert failure.failure_class is FailureClass.CODE


@pytest.mark.parametrize("kind", NAMES)
def test_the_counts_close(engines: Engines, kind: str) -> None:
    built = engines.result(kind).require()

    assert all(item.closes for item in built.objects)
    assert sum(item.records for item in built.files) == sum(item.published for item in built.objects)
    assert sum(item.records for item in built.quarantine_files) == sum(item.quarantined for item in built.objects)
    assert sum(item.records_in for item in built.objects) >= RECORDS * 0.95
