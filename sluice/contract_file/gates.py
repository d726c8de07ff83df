"""The contract's `gates`: severities and limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from sluice.contract_file.expected import read_metrics, read_row_count
from sluice.contract_file.gate_settings import (
    SETTINGS,
    SHARE_CURE,
    CompletenessSettings,
    GateSettings,
    MetricsSettings,
    NullSettings,
    ReferencesSettings,
    RowCountSettings,
    ShareSettings,
    not_possible,
    share,
    validated,
)
from sluice.contract_file.references import FIELD, read_references
from sluice.errors import LocationInvalid, did_you_mean
from sluice.gate_rules import Completeness, Expected, GateRules, Reference
from sluice.gates.verdict import Severity
from sluice.location import Location

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sluice.contract import Contract
    from sluice.contract_file.place import Place

AnySettings = TypeVar("AnySettings", bound=GateSettings)

ALWAYS_BLOCK = frozenset(
    {
        "raw_objects_exist",
        "records_are_conserved",
        "schema_matches_contract",
        "schema_has_not_drifted",
        "key_is_unique",
    }
)
"""Gates that nobody can accept either: there is nothing to publish, or Sluice itself is at fault."""

OF_LANDED_FILES = frozenset(
    {
        "raw_objects_exist",
        "raw_objects_are_readable",
        "raw_is_complete",
        "record_count_matches_control",
        "schema_has_not_drifted",
    }
)


def read_gates(value: object, place: Place, contract: Contract, declared: Sequence[str]) -> GateRules:
    """Return the rules; `value` is what is written, None when nothing is.

    `declared` are the names of all columns, for the contract lacks those that were refused.
    """
    if value is None:
        return GateRules()
    if not isinstance(value, dict):
        place.refuse("must hold gates by name.", "Write one as rejected_share_is_acceptable: {limit: 0.02}.")
        return GateRules()
    settings = {name: _settings(name, value[name], place, contract) for name in value}
    return _Gates(settings, place, contract, declared).rules()


def _settings(name: str, value: object, place: Place, contract: Contract) -> GateSettings | None:
    if name not in SETTINGS:
        place[name].refuse("is no gate.", did_you_mean(name, SETTINGS))
        return None
    if contract.transform_sql is not None and name in OF_LANDED_FILES:
        place[name].refuse("is about landed files, but this dataset is a transform.sql.", "Leave it out.")
        return None
    read = validated(SETTINGS[name], value, place[name])
    if read is not None and name in ALWAYS_BLOCK and read.severity not in {None, Severity.BLOCK}:
        place[name]["severity"].refuse(
            f"is {read.severity}, but this gate always blocks.", "Leave it out: what breaks this gate is never right."
        )
    return read


class _Gates:
    """What is written about the gates, while it is being understood."""

    def __init__(
        self,
        settings: Mapping[str, GateSettings | None],
        place: Place,
        contract: Contract,
        declared: Sequence[str],
    ) -> None:
        self._settings = settings
        self._place = place
        self._contract = contract
        self._declared = declared

    def rules(self) -> GateRules:
        usual = GateRules()
        severities = {name: item.severity for name, item in self._settings.items() if item and item.severity}
        return GateRules(
            severities=tuple(sorted(severities.items())),
            max_unreadable_share=self._share("raw_objects_are_readable", usual.max_unreadable_share),
            max_rejected_share=self._share("rejected_share_is_acceptable", usual.max_rejected_share),
            max_null_shares=self._null_shares(),
            completeness=self._completeness(),
            row_count=self._row_count(),
            metrics=self._metrics(),
            references=self._references(),
        )

    def _of(self, name: str, kind: type[AnySettings]) -> tuple[AnySettings | None, Place]:
        found = self._settings.get(name)
        return (found if isinstance(found, kind) else None), self._place[name]

    def _share(self, name: str, usual: float) -> float:
        found, _ = self._of(name, ShareSettings)
        return usual if found is None or found.limit is None else found.limit

    def _null_shares(self) -> tuple[tuple[str, float], ...]:
        found, place = self._of("nulls_are_within_limits", NullSettings)
        if found is None or "columns" not in found.model_fields_set:
            return ()
        here = place["columns"]
        if not isinstance(found.columns, dict):
            here.refuse("must hold shares by column.", "Write them as {note: 0.9}.")
            return ()
        shares = [(name, self._null_share(name, value, here[name])) for name, value in found.columns.items()]
        return tuple(sorted(shares))

    def _null_share(self, name: str, value: object, place: Place) -> float:
        if name not in self._declared:
            place.refuse("is not a column.", did_you_mean(name, self._declared))
        if any(column.name == name and column.required for column in self._contract.columns):
            place.refuse("is a required column, which never is without a value.", "Leave it out.")
        try:
            return share(value)
        except ValueError:
            place.refuse(not_possible(value), SHARE_CURE)
            return 1.0

    def _completeness(self) -> Completeness | None:
        found, place = self._of("raw_is_complete", CompletenessSettings)
        if found is None:
            return None
        keys = {name: getattr(found, name) for name in ("marker", "control") if name in found.model_fields_set}
        if not keys and found.minimum_objects is None:
            place.refuse("asks for nothing.", "Add marker, control or minimum_objects.")
        for name, key in keys.items():
            _check_key(key, place[name], self._contract)
        return Completeness(keys.get("marker"), keys.get("control"), found.minimum_objects)

    def _row_count(self) -> Expected:
        return read_row_count(*self._of("row_count_is_expected", RowCountSettings))

    def _metrics(self) -> tuple[Expected, ...]:
        found, place = self._of("metrics_are_expected", MetricsSettings)
        if found is None:
            return ()
        return read_metrics(found.metrics, place["metrics"], self._contract.columns, self._declared)

    def _references(self) -> tuple[Reference, ...]:
        found, place = self._of("reference_data_is_current", ReferencesSettings)
        return () if found is None else read_references(found.references, place[FIELD], self._contract.dataset)


def _check_key(key: str, place: Place, contract: Contract) -> None:
    """One key per date, where the dataset's files are, with a name that is never read as data."""
    if "*" in key:
        place.refuse(f'"{key}" has a wildcard, but means one file.', "Write its whole key with {date} in it.")
        return
    try:
        Location.parse(key)
    except LocationInvalid as error:
        place.refuse(f'"{key}" {error.problem}.', error.cure)
        return
    root = Location.parse(contract.source.pattern).root if contract.source else ""
    if not key.startswith(root):
        place.refuse(f'"{key}" is not where the dataset\'s files are.', f'Begin with "{root}".')
    if not key.rpartition("/")[2].startswith(("_", ".")):
        place.refuse(f'"{key}" could be read as data.', 'Use a file name that begins with "_" or ".".')
