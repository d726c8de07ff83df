"""The suite and its validation result as JSON that Great Expectations itself loads."""

from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING

from sluice.expectations.vocabulary import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sluice.expectations.expectation import Expectation
    from sluice.expectations.results import Result

_META = {"great_expectations_version": VERSION}


def suite_text(dataset: str, expectations: Iterable[Expectation]) -> str:
    """Return an ExpectationSuite named after the dataset."""
    listed = [_configuration(item) for item in expectations]
    return _text({"name": dataset, "id": None, "expectations": listed, "meta": _META, "notes": None})


def validation_text(dataset: str, partition: str, version: str, judged_at: datetime, results: Sequence[Result]) -> str:
    """Return an ExpectationSuiteValidationResult; the batch is the partition's version."""
    met = sum(item.success for item in results)
    run_time = judged_at.astimezone(UTC).isoformat()
    statistics = {
        "evaluated_expectations": len(results),
        "successful_expectations": met,
        "unsuccessful_expectations": len(results) - met,
        "success_percent": met / len(results) * 100 if results else None,
    }
    meta = {
        **_META,
        "run_id": {"run_name": f"{dataset} {partition}", "run_time": run_time},
        "active_batch_definition": {
            "datasource_name": "sluice",
            "data_connector_name": "staged",
            "data_asset_name": dataset,
            "batch_identifiers": {"date": partition, "version": version},
        },
        "validation_time": run_time,
        "partition": partition,
        "version": version,
    }
    document = {
        "success": met == len(results),
        "results": [_validated(item) for item in results],
        "suite_name": dataset,
        "suite_parameters": {},
        "statistics": statistics,
        "meta": meta,
        "id": None,
    }
    return _text(document)


def _validated(result: Result) -> dict[str, object]:
    exception = {
        "raised_exception": result.error is not None,
        "exception_message": result.error,
        "exception_traceback": result.error,  # Data Docs cannot show an exception without one
    }
    return {
        "success": result.success,
        "expectation_config": _configuration(result.expectation),
        "result": json.loads(result.observed),
        "meta": {},
        "exception_info": exception,
    }


def _configuration(expectation: Expectation) -> dict[str, object]:
    return {
        "type": expectation.type,
        "kwargs": json.loads(expectation.kwargs),
        "meta": {"name": expectation.name},
        "description": expectation.description or None,
        "severity": str(expectation.importance),
    }


def _text(document: object) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
