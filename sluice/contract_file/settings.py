"""Sluice's own settings: the one customProperties entry that holds what the standard has no field for."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from sluice.contract import FIRST_DATE, DriftPolicy, UnknownFields
from sluice.contract_file.shape import refuse_invalid, refuse_unknown
from sluice.errors import did_you_mean

if TYPE_CHECKING:
    from open_data_contract_standard.model import CustomProperty

    from sluice.contract_file.place import Place

NAME = "sluice"

_LAST_YEAR = 2200  # sums with later dates overflow


def _written_date(value: object) -> object:
    """Pydantic would also take a number, as seconds since 1970."""
    if not isinstance(value, str):
        raise ValueError("write it as 2026-11-01")  # noqa: TRY004  pydantic takes ValueError as a refusal
    if (written := date.fromisoformat(value)).year > _LAST_YEAR:
        raise ValueError(f"no partition lies after {_LAST_YEAR}")
    return written


def _unknown_fields(value: object) -> UnknownFields:
    """The class itself is no validator to Pydantic: since Python 3.13 its signature takes `*values`."""
    return UnknownFields(str(value))


def _drift(value: object) -> DriftPolicy:
    return DriftPolicy(str(value))


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class CsvSettings(_Settings):
    """What the server's fields do not say about CSV files."""

    quote: str | None = '"'
    header: bool = True


class Settings(_Settings):
    """Every field has a safe default."""

    start: Annotated[date, BeforeValidator(_written_date)] = FIRST_DATE
    order_by: str | None = None
    sort_by: Annotated[
        tuple[str, ...], BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)
    ] = ()
    unknown_fields: Annotated[UnknownFields, BeforeValidator(_unknown_fields)] = UnknownFields.IGNORE
    drift: Annotated[DriftPolicy, BeforeValidator(_drift)] = DriftPolicy.IGNORE
    csv: CsvSettings | None = None
    plain_table: bool = False
    gates: object = None  # these have readers of their own
    cost: object = None
    freshness: object = None
    notify: object = None
    healing: object = None
    maintenance: object = None
    schedule: object = None
    engine: object = None
    pull: object = None
    consumers: object = None


def read_settings(declared: list[CustomProperty], place: Place) -> tuple[Settings, Place]:
    """Return the settings and where they are written; `place` is that of customProperties."""
    entries = [(item, place[index]) for index, item in enumerate(declared) if is_ours(item, place[index])]
    if not entries:
        return Settings(), place
    for _, here in entries[1:]:
        here.refuse("is a second entry for sluice.", "Put all settings into one entry.")
    entry, here = entries[0]
    return _parse(entry.value, here["value"]), here["value"]


def is_ours(item: CustomProperty, place: Place) -> bool:
    """Entries of other tools are left alone, but not one that is nearly called sluice."""
    name = item.property or ""
    if name == NAME:
        return True
    if did_you_mean(name.lower(), [NAME]).startswith("Did"):
        place["property"].refuse(f'is "{name}", so its settings would count for nothing.', f'Write "{NAME}".')
    return False


def _parse(value: object, place: Place) -> Settings:
    if not isinstance(value, dict):
        place.refuse("must hold settings.", f"Known: {', '.join(Settings.model_fields)}.")
        return Settings()
    found = len(place.problems)
    refuse_unknown(Settings, value, place)
    if isinstance(value.get("csv"), dict):
        refuse_unknown(CsvSettings, value["csv"], place["csv"])
    if len(place.problems) > found:
        return Settings()
    try:
        return Settings.model_validate(value)
    except ValidationError as error:
        refuse_invalid(error, place)
        return Settings()
