"""Great Expectations itself, imported when first used: for expectations that SQL does not judge, and for Data Docs."""

from __future__ import annotations

import json
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sluice.expectations.finding import Finding, cell, failed, plain
from sluice.expectations.question import BATCH
from sluice.sql_types import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import duckdb

    from sluice.expectations.expectation import Expectation

_SHOWN = 10


class GreatExpectations:
    """What judges the expectations that SQL does not."""

    def judge(self, connection: duckdb.DuckDBPyConnection, expectations: Sequence[Expectation]) -> list[Finding]:
        return judge_with_great_expectations(connection, expectations)


def judge_with_great_expectations(
    connection: duckdb.DuckDBPyConnection, expectations: Sequence[Expectation]
) -> list[Finding]:
    """Judge by pandas the columns of the view `batch` that the expectations name; one that raises has an error."""
    with _quiet():
        try:
            return _judge(_open_batch(connection, expectations), expectations)
        except Exception as error:  # noqa: BLE001  a library of sixty plug-ins raises anything; the run must go on
            return [failed(error)] * len(expectations)


def build_data_docs(stored: Sequence[tuple[str, str]], folder: Path) -> Path:
    """Build the site of all (suite, validation) texts in `folder` and return its index; what is there is replaced."""
    with _quiet():
        context = _context()
        site = {
            "class_name": "SiteBuilder",
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
            "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder)},
        }
        for name in list(context.get_site_names()):
            context.delete_data_docs_site(name)
        context.add_data_docs_site("sluice", site)
        for suite in {json.loads(text)["name"]: text for text, _ in stored}.values():
            _add_suite(context, suite)
        for _, validation in stored:
            _add_validation(context, validation)
        context.build_data_docs()
    return folder / "index.html"


def load_suite(text: str) -> Any:  # noqa: ANN401  the library may not be imported for a type
    """Return Great Expectations' ExpectationSuite."""
    with _quiet():
        from great_expectations.core.expectation_suite import ExpectationSuite, expectationSuiteSchema

        return ExpectationSuite(**expectationSuiteSchema.loads(text))


def load_validation(text: str) -> Any:  # noqa: ANN401
    """Return Great Expectations' ExpectationSuiteValidationResult."""
    with _quiet():
        from great_expectations.core.expectation_validation_result import expectationSuiteValidationResultSchema

        return expectationSuiteValidationResultSchema.loads(text)


@contextmanager
def _quiet() -> Iterator[None]:
    """The library and pandas warn of their own future; that is no news to who runs a partition."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _context() -> Any:  # noqa: ANN401
    import great_expectations
    from great_expectations.data_context.types.base import DataContextConfig, InMemoryStoreBackendDefaults

    # The usual in-memory context makes a temporary folder for a site that nobody asked for, and leaves it there.
    stores = InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
    project = DataContextConfig(store_backend_defaults=stores)
    context = great_expectations.get_context(mode="ephemeral", project_config=project)
    context.enable_analytics(False)  # noqa: FBT003
    context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
    return context


def _open_batch(connection: duckdb.DuckDBPyConnection, expectations: Sequence[Expectation]) -> Any:  # noqa: ANN401
    source = _context().data_sources.add_pandas("staged")
    definition = source.add_dataframe_asset(BATCH).add_batch_definition_whole_dataframe("partition")
    names = ", ".join(quote_identifier(name) for name in _columns(connection, expectations))
    frame = connection.execute(f"SELECT {names} FROM {BATCH}").df()
    return definition.get_batch({"dataframe": frame})


def _columns(connection: duckdb.DuckDBPyConnection, expectations: Sequence[Expectation]) -> list[str]:
    """All columns if an expectation is about the table or has a condition, which may name any."""
    every = [str(row[0]) for row in connection.execute(f"DESCRIBE {BATCH}").fetchall()]
    needed: set[str] = set()
    for expectation in expectations:
        kwargs = json.loads(expectation.kwargs)
        named = {kwargs.get(name) for name in ("column", "column_A", "column_B")} - {None}
        named.update(kwargs.get("column_list") or ())
        if not named or kwargs.get("row_condition"):
            return every
        needed |= named
    return [name for name in every if name in needed]


def _judge(batch: Any, expectations: Sequence[Expectation]) -> list[Finding]:  # noqa: ANN401
    """All at once, because expectations share what is computed; results come in an order of their own."""
    from great_expectations.core.expectation_suite import ExpectationSuite

    findings: dict[int, Finding] = {}
    suite = ExpectationSuite(name="rest")
    for position, expectation in enumerate(expectations):
        try:
            suite.expectations.append(_domain_object(expectation, position))
        except Exception as error:  # noqa: BLE001  one that it refuses leaves the others judged
            findings[position] = failed(error)
    answers = batch.validate(suite).to_json_dict()["results"] if suite.expectations else []
    for answer in answers:
        configuration = answer["expectation_config"]
        findings[configuration["meta"]["position"]] = _finding(answer, configuration["kwargs"])
    unanswered = failed(LookupError("Great Expectations returned no result."))
    return [findings.get(position, unanswered) for position in range(len(expectations))]


def _domain_object(expectation: Expectation, position: int) -> Any:  # noqa: ANN401
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    kwargs, meta = json.loads(expectation.kwargs), {"position": position}
    return ExpectationConfiguration(type=expectation.type, kwargs=kwargs, meta=meta).to_domain_obj()


def _finding(answer: Mapping[str, Any], kwargs: Mapping[str, Any]) -> Finding:
    result = {name: value for name, value in answer["result"].items() if name in _BASIC}
    error = _error(answer.get("exception_info") or {})
    unexpected = result.get("partial_unexpected_list") or []
    name = str(kwargs.get("column", "value"))
    sample = tuple({name: cell(plain(value))} for value in unexpected[:_SHOWN])
    return Finding(bool(answer["success"]) and error is None, result, result.get("unexpected_count"), sample, error)


# What `result_format: BASIC` returns, and the lists and details of expectations on tables and sets.
_BASIC = {
    "details",
    "element_count",
    "missing_count",
    "missing_percent",
    "observed_value",
    "partial_missing_list",
    "partial_unexpected_list",
    "unexpected_count",
    "unexpected_percent",
    "unexpected_percent_nonmissing",
    "unexpected_percent_total",
}


def _error(info: Mapping[str, Any]) -> str | None:
    """One exception, or one for each metric that raised."""
    if "raised_exception" in info:
        return str(info.get("exception_message")) if info["raised_exception"] else None
    messages = [str(item.get("exception_message")) for item in info.values() if item.get("raised_exception")]
    return "; ".join(dict.fromkeys(messages)) or None


def _add_suite(context: Any, text: str) -> None:  # noqa: ANN401
    context.suites.add(load_suite(text))


def _add_validation(context: Any, text: str) -> None:  # noqa: ANN401
    from great_expectations.core.run_identifier import RunIdentifier
    from great_expectations.data_context.types.resource_identifiers import (
        ExpectationSuiteIdentifier,
        ValidationResultIdentifier,
    )

    result = load_validation(text)
    meta = json.loads(text)["meta"]
    run = meta["run_id"]
    key = ValidationResultIdentifier(
        expectation_suite_identifier=ExpectationSuiteIdentifier(name=result.suite_name),
        run_id=RunIdentifier(run_name=run["run_name"], run_time=run["run_time"]),
        batch_identifier=f"{meta['partition']}-{meta['version']}",
    )
    context.validation_results_store.set(key, result)
