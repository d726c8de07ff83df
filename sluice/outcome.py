"""What building one partition came to: files, counts per object, reasons. Staged beside the data as `_outcome.json`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from sluice.drift_kind import DriftKind, is_drift
from sluice.version import Version

OUTCOME_NAME = "_outcome.json"
"""Written last and only if absent: it makes the files it lists *the* staged files of a version."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ObjectBalance(_Frozen):
    """Where the records of one raw object went; an object that cannot be read to its end is one quarantined record."""

    key: str
    etag: str
    records_in: int
    published: int
    quarantined: int
    duplicates: int
    unreadable: str | None = None  # the reason code when the object was quarantined whole

    @property
    def closes(self) -> bool:
        return self.records_in == self.published + self.quarantined + self.duplicates


class StagedFile(_Frozen):
    """One Parquet file; `key` is its key in the object store, which begins with its zone."""

    key: str
    records: int
    size_bytes: int


class ReasonCount(_Frozen):
    """How many reasons of one code and column were given in one object (a record may have several)."""

    key: str
    code: str
    column: str | None
    records: int


class Superseded(_Frozen):
    """An object that had records in quarantine and is there no more; `by` is the ETag of what has its key now."""

    key: str
    etag: str
    records: int
    by: str | None = None  # None: nothing has


class Redriven(_Frozen):
    """What this build did to the records that the published version before it had in quarantine.

    `version` is that version. `returned` records are published (or duplicates) now, `stayed` ones were rejected again,
    `superseded` ones came from objects that have been replaced or removed since.
    """

    version: str
    returned: int
    stayed: int
    superseded: int
    closed_by: tuple[Superseded, ...] = ()  # those that are superseded, by object


class FieldDrift(_Frozen):
    """One field in which one raw object differs from its contract; `records` of the object hold it so."""

    key: str
    kind: DriftKind
    field: str
    records: int


class Fragment(_Frozen):
    """What some of a partition's objects came to by themselves; a later build of the same contract and code may use it.

    `objects` are places in `Outcome.objects`. `file` has the fragment's own winners, `keys` says which record each of
    them is. `lost` counts the winners that lost to records of other fragments, by object; then the table shows `shown`
    in place of `file`, and `lost_digest` says exactly which ones `shown` lacks.
    """

    objects: tuple[int, ...]
    file: StagedFile | None = None
    keys: StagedFile | None = None
    quarantine: StagedFile | None = None
    unknown_fields: tuple[str, ...] = ()
    lost: dict[int, int] = {}
    lost_digest: str = ""
    shown: StagedFile | None = None

    @property
    def published(self) -> StagedFile | None:
        """What a table shows of it: None when none of its records won."""
        return self.shown if self.lost else self.file

    @property
    def staged(self) -> tuple[StagedFile, ...]:
        """All of its files."""
        return tuple(item for item in (self.file, self.keys, self.quarantine, self.shown) if item is not None)


class Outcome(_Frozen):
    """One partition built once. `records_in` etc. are summed over `objects`.

    `files` and `quarantine_files` may lie in folders of other versions, from which this one took over fragments.
    `objects_parsed` is how many objects this build read; None means all of them.
    """

    dataset: str
    partition: str
    fingerprint: str
    contract_version: str
    contract_fingerprint: str
    code_version: str
    run_id: str
    objects: tuple[ObjectBalance, ...]
    files: tuple[StagedFile, ...]
    quarantine_files: tuple[StagedFile, ...]
    reasons: tuple[ReasonCount, ...] = ()
    unknown_fields: tuple[str, ...] = ()
    drift: tuple[FieldDrift, ...] = ()
    bytes_in: int = 0
    seconds: float = 0.0
    redriven: Redriven | None = None
    stand_in: str | None = None  # what these rows are in place of the partition's own data: "fallback", ...
    fragments: tuple[Fragment, ...] = ()
    objects_parsed: int | None = None

    @property
    def version(self) -> Version:
        return Version(self.fingerprint, self.contract_fingerprint, self.code_version)

    @property
    def objects_reused(self) -> int:
        return 0 if self.objects_parsed is None else len(self.objects) - self.objects_parsed

    @property
    def staged(self) -> tuple[StagedFile, ...]:
        """Every file that this outcome needs, or that a later build may use because of it."""
        of_fragments = (file for fragment in self.fragments for file in fragment.staged)
        return tuple({file.key: file for file in (*self.files, *self.quarantine_files, *of_fragments)}.values())

    @property
    def drifted(self) -> tuple[FieldDrift, ...]:
        """The fields in which enough of an object's records differ to say that its sender has changed something."""
        records = {item.key: item.records_in for item in self.objects}
        return tuple(item for item in self.drift if is_drift(item.kind, item.records, records[item.key]))

    @property
    def records_in(self) -> int:
        return sum(item.records_in for item in self.objects)

    @property
    def published(self) -> int:
        return sum(item.published for item in self.objects)

    @property
    def quarantined(self) -> int:
        return sum(item.quarantined for item in self.objects)

    @property
    def duplicates(self) -> int:
        return sum(item.duplicates for item in self.objects)

    @property
    def bytes_out(self) -> int:
        return sum(item.size_bytes for item in self.files)
