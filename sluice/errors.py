"""Every error that stops a run, in one tree; each carries its fields and says what to do next.

SluiceError
├── ContractError            a declaration is wrong: the dataset cannot run
│   ├── ContractInvalid      a field of a contract file is missing, unknown or contradictory
│   ├── DatasetUnknown       a name that no contract declares
│   └── TransformInvalid     a transform.sql that cannot be parsed or names an unknown table
├── RawError                 the raw zone cannot be used as it is
│   ├── RawPartitionEmpty    nothing has landed for this partition
│   ├── RawObjectChanged     an object is no longer the one the manifest names
│   └── LandingRefused       a file cannot be landed where it was asked to be
├── GateClosed               a blocking gate does not hold: nothing is published
└── PublishError             the table could not be brought to the staged state
    ├── PublishConflict      other writers kept winning the commit
    └── StagedFilesMissing   a staged file is gone or not what was staged
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class SluiceError(Exception):
    """Base of all errors Sluice raises on purpose. `cure` is one sentence in the imperative."""

    def __init__(self, message: str, *, cure: str) -> None:
        super().__init__(f"{message} {cure}")
        self.message = message
        self.cure = cure

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross process borders (Dagster runs, pools); their constructors take keywords, which pickle cannot replay.
        return _restore, (type(self), self.args, self.__dict__.copy())


def _restore(kind: type[SluiceError], args: tuple[object, ...], fields: dict[str, object]) -> SluiceError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(fields)
    return error


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ` Did you mean "x"?`, or the list of what is known when nothing is near."""
    names = sorted(known)
    near = get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return f'Did you mean "{near[0]}"?'
    return f"Known: {', '.join(names)}." if names else "None is known."


class ContractError(SluiceError):
    """A declaration is wrong."""


class ContractInvalid(ContractError):
    """One field of one contract file is wrong. `line` counts from 1."""

    def __init__(self, *, path: str, line: int, field: str, problem: str, cure: str) -> None:
        super().__init__(f"{path}:{line}: {field}: {problem}", cure=cure)
        self.path = path
        self.line = line
        self.field = field
        self.problem = problem


class DatasetUnknown(ContractError):
    """No contract declares this dataset."""

    def __init__(self, *, dataset: str, known: Iterable[str]) -> None:
        super().__init__(f'No dataset is named "{dataset}".', cure=did_you_mean(dataset, known))
        self.dataset = dataset


class TransformInvalid(ContractError):
    """A transform.sql cannot be used."""

    def __init__(self, *, path: str, problem: str, cure: str) -> None:
        super().__init__(f"{path}: {problem}", cure=cure)
        self.path = path
        self.problem = problem


class RawError(SluiceError):
    """The raw zone cannot be used as it is."""


class RawPartitionEmpty(RawError):
    """Nothing has landed for this partition, so there is nothing to build."""

    def __init__(self, *, dataset: str, partition: str, pattern: str) -> None:
        super().__init__(
            f"Dataset {dataset} has no raw object for {partition} (looked for {pattern}).",
            cure=f"Land a file first: sluice land {dataset} FILE --date {partition}",
        )
        self.dataset = dataset
        self.partition = partition


class RawObjectChanged(RawError):
    """The bytes read are not the bytes the manifest names; the partition has a newer manifest by now."""

    def __init__(self, *, key: str, expected_etag: str, found_etag: str | None) -> None:
        found = f"has ETag {found_etag}" if found_etag else "is gone"
        super().__init__(
            f"Raw object {key} {found}, but the manifest names {expected_etag}.",
            cure="Run the partition again: the next run takes the manifest of what is there now.",
        )
        self.key = key
        self.expected_etag = expected_etag
        self.found_etag = found_etag


class LandingRefused(RawError):
    """A file cannot be landed where it was asked to be."""


class GateClosed(SluiceError):
    """A blocking gate does not hold. `gate` is its name, `dataset` and `partition` say where."""

    def __init__(self, *, gate: str, dataset: str, partition: str, explanation: str, cure: str) -> None:
        super().__init__(f"{gate} does not hold for {dataset} {partition}: {explanation}", cure=cure)
        self.gate = gate
        self.dataset = dataset
        self.partition = partition


class PublishError(SluiceError):
    """The table could not be brought to the staged state."""


class PublishConflict(PublishError):
    """Other writers kept winning the commit until the attempts were used up."""

    def __init__(self, *, table: str, partition: str, attempts: int) -> None:
        super().__init__(
            f"Table {table} kept changing while {partition} was being published ({attempts} attempts).",
            cure="Run the partition again; if it persists, lower the number of runs that publish to this table at once.",
        )
        self.table = table
        self.partition = partition
        self.attempts = attempts


class StagedFilesMissing(PublishError):
    """A staged file is gone or is not what was staged."""

    def __init__(self, *, key: str, problem: str) -> None:
        super().__init__(
            f"Staged file {key} {problem}.", cure="Materialize processed for this partition again; it stages anew."
        )
        self.key = key
