"""When a partition's files are all there: the marker and the control file that a contract asks for."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sluice.arrivals import RAW_ZONE
from sluice.location import Location

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sluice.contract import Contract

Count = Annotated[int, Field(ge=0, lt=1 << 63, strict=True)]
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class ControlFile(BaseModel):
    """One file as its sender counted it; `name` is the end of its key."""

    model_config = ConfigDict(frozen=True)

    name: Annotated[str, Field(min_length=1)]
    records: Count | None = None
    bytes: Count | None = None


class Control(BaseModel):
    """What a sender says was sent. Counts that are left out are added up from `files` where all of them say it."""

    model_config = ConfigDict(frozen=True)

    objects: Count | None = None
    records: Count | None = None
    bytes: Count | None = None
    files: tuple[ControlFile, ...] = ()

    @model_validator(mode="after")
    def _agrees_with_its_files(self) -> Self:
        names = [file.name for file in self.files]
        if len(names) != len(set(names)):
            raise ValueError("files names one file twice")
        for word, told, summed in self._counts():
            if told is not None and summed is not None and told != summed:
                raise ValueError(f"{word} is {told:,}, but its files come to {summed:,}")
        if all(told is None and summed is None for _, told, summed in self._counts()):
            raise ValueError("it has none of objects, records, bytes and files")
        return self

    @property
    def objects_sent(self) -> int | None:
        return _first(*self._counts()[0][1:])

    @property
    def records_sent(self) -> int | None:
        return _first(*self._counts()[1][1:])

    @property
    def bytes_sent(self) -> int | None:
        return _first(*self._counts()[2][1:])

    def _counts(self) -> tuple[tuple[str, int | None, int | None], ...]:
        """(word, as told, as the files say)."""
        return (
            ("objects", self.objects, len(self.files) or None),
            ("records", self.records, _summed([file.records for file in self.files])),
            ("bytes", self.bytes, _summed([file.bytes for file in self.files])),
        )


@dataclass(frozen=True, slots=True)
class ControlProblem:
    """Why a control file says nothing."""

    problem: str


def marker_key(contract: Contract, partition: str) -> str | None:
    """Return the marker's key in the store, None when the contract asks for none."""
    completeness = contract.gates.completeness
    return _key(completeness.marker, partition) if completeness else None


def control_key(contract: Contract, partition: str) -> str | None:
    """Return the control file's key in the store, None when the contract asks for none."""
    completeness = contract.gates.completeness
    return _key(completeness.control, partition) if completeness else None


def control_etags(contract: Contract, partition: str, etag: Callable[[str], str | None]) -> str:
    """Name what is there of the marker and the control file; the same text means the same files."""
    keys = (marker_key(contract, partition), control_key(contract, partition))
    return " ".join(found for key in keys if key is not None and (found := etag(key)) is not None)


def read_control(data: bytes) -> Control | ControlProblem:
    """Read JSON such as `{"objects": 24, "records": 1000, "bytes": 123456}`; other fields are left alone."""
    try:
        return Control.model_validate_json(data.removeprefix(_BYTE_ORDER_MARK))
    except ValidationError as error:
        return ControlProblem("; ".join(_told(detail["loc"], detail["msg"]) for detail in error.errors()[:3]))


def keys_by_name(files: Iterable[ControlFile], keys: Iterable[str]) -> Mapping[str, str]:
    """Return the key of each file that is there; a name is a file's name or any longer end of its key."""
    by_last_part = defaultdict(list)
    for key in keys:
        by_last_part[key.rpartition("/")[2]].append(key)
    return {
        file.name: key
        for file in files
        for key in by_last_part[file.name.rpartition("/")[2]]
        if f"/{key}".endswith(f"/{file.name}")
    }


def _key(pattern: str | None, partition: str) -> str | None:
    if pattern is None:
        return None
    # With a final slash the whole key counts as a folder, of which the location tells where it is on a date.
    return RAW_ZONE + Location(f"{pattern}/").key_prefix(partition).removesuffix("/")


def _told(loc: tuple[int | str, ...], message: str) -> str:
    where = ".".join(str(step) for step in loc)
    text = message.removeprefix("Value error, ")
    return f"{where}: {text}" if where else text


def _first(told: int | None, summed: int | None) -> int | None:
    return summed if told is None else told


def _summed(counts: list[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known and len(known) == len(counts) else None
