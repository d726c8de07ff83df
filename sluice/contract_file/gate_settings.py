"""What a contract may say about each gate. A field's description is the cure when its value is refused."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from sluice.contract_file.shape import refuse_unknown
from sluice.gates.verdict import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sluice.contract_file.place import Place

AnyModel = TypeVar("AnyModel", bound=BaseModel)

SHARE_CURE = 'Write a share from 0 to 1, such as 0.02, or "2 %".'
LEAST_MINIMUM_HISTORY = 8
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d+)?) ?%")
_NUMBER_CURE = "Write a number."


def share(value: object) -> float:
    """Return 0.2 for 0.2 and for "20 %"; raises ValueError."""
    percent = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    found = number(Decimal(percent[1]) / 100 if percent else value)
    if not 0 <= found <= 1:
        raise ValueError(value)
    return found


def number(value: object) -> float:
    """Return a finite number; raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not math.isfinite(float(Decimal(value))):
        raise ValueError(value)
    return float(value)


def _above_zero(value: float) -> float:
    if value <= 0:
        raise ValueError(value)
    return value


def _severity(value: object) -> Severity:
    return Severity(str(value))


_Number = Annotated[float | None, BeforeValidator(number)]
_Share = Annotated[float | None, BeforeValidator(share)]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class GateSettings(_Settings):
    severity: Annotated[Severity | None, BeforeValidator(_severity)] = Field(
        None, description=f"Write one of {', '.join(Severity)}."
    )


class ShareSettings(GateSettings):
    limit: _Share = Field(None, description=SHARE_CURE)


class NullSettings(GateSettings):
    columns: object = None  # has a reader of its own, as have metrics and references


class CompletenessSettings(GateSettings):
    marker: Annotated[str, Field(description="Write the marker's key below the raw zone.")] = ""
    control: Annotated[str, Field(description="Write the control file's key below the raw zone.")] = ""
    minimum_objects: int | None = Field(None, ge=1, description="Write a whole number from 1.")


class LimitSettings(_Settings):
    """Where one metric must lie."""

    minimum: _Number = Field(None, description=_NUMBER_CURE)
    maximum: _Number = Field(None, description=_NUMBER_CURE)
    within: Annotated[float | None, BeforeValidator(lambda value: _above_zero(share(value)))] = Field(
        None, description='Write a share above 0 and up to 1, such as 0.2, or "20 %".'
    )
    sensitivity: Annotated[float | None, BeforeValidator(lambda value: _above_zero(number(value)))] = Field(
        None, description="Write a number above 0; 5 is usual, a smaller one alarms earlier."
    )
    minimum_history: Annotated[int | None, Field(strict=True)] = Field(
        None,
        ge=LEAST_MINIMUM_HISTORY,
        description=f"Write a whole number from {LEAST_MINIMUM_HISTORY}: fewer partitions say too little.",
    )


class RowCountSettings(GateSettings, LimitSettings):
    pass


class MetricSettings(LimitSettings):
    metric: str = Field(description="Write which metric, such as metric: mean.")
    column: str | None = Field(None, description="Write the name of a column.")


class MetricsSettings(GateSettings):
    metrics: object = None


class ReferenceSettings(_Settings):
    dataset: str = Field(description="Write the dataset's name.")
    max_age_days: int = Field(ge=0, description="Write how many days older it may be, 0 for the same date.")


class ReferencesSettings(GateSettings):
    references: object = None


SETTINGS: Mapping[str, type[GateSettings]] = MappingProxyType(
    {
        "breaker_is_closed": GateSettings,
        "raw_objects_exist": GateSettings,
        "raw_objects_are_readable": ShareSettings,
        "raw_is_complete": CompletenessSettings,
        "estimated_cost_is_within_budget": GateSettings,
        "records_are_conserved": GateSettings,
        "record_count_matches_control": GateSettings,
        "rejected_share_is_acceptable": ShareSettings,
        "schema_matches_contract": GateSettings,
        "schema_has_not_drifted": GateSettings,
        "key_is_unique": GateSettings,
        "nulls_are_within_limits": NullSettings,
        "row_count_is_expected": RowCountSettings,
        "metrics_are_expected": MetricsSettings,
        "expectations_hold": GateSettings,
        "reference_data_is_current": ReferencesSettings,
        "runtime_is_within_budget": GateSettings,
        "scan_cost_is_within_budget": GateSettings,
        "files_are_well_sized": GateSettings,
    }
)
"""Every gate by name; a test compares it with `GATES`, which contracts are read without."""


def validated(model: type[AnyModel], value: object, place: Place) -> AnyModel | None:
    """Return what is written, or None after refusing it field by field."""
    if not isinstance(value, dict):
        place.refuse("must hold settings.", f"Known: {', '.join(model.model_fields)}.")
        return None
    found = len(place.problems)
    refuse_unknown(model, value, place)
    if len(place.problems) > found:
        return None
    try:
        return model.model_validate(value)
    except ValidationError as error:
        for detail in error.errors():
            name = str(detail["loc"][0])
            problem = "is missing." if detail["type"] == "missing" else not_possible(detail["input"])
            place[name].refuse(problem, model.model_fields[name].description or "")
        return None


def not_possible(value: object) -> str:
    return "is not one plain value." if isinstance(value, dict | list | None) else f'is "{value}".'
