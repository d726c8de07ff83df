"""Checks that staged files are what their outcome says, and describes them to Iceberg."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyiceberg.io.pyarrow import parquet_file_to_data_file

from sluice.errors import StagedFilesMissing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pyiceberg.io import FileIO, InputFile
    from pyiceberg.manifest import DataFile
    from pyiceberg.table.metadata import TableMetadata

    from sluice.outcome import Outcome, StagedFile


def describe_staged(
    outcome: Outcome, uri: Callable[[str], str], metadata: TableMetadata, io: FileIO, shown: Iterable[DataFile] = ()
) -> list[DataFile]:
    """Return the files as data files of the table: as it shows them already, else from their footers.

    Raises StagedFilesMissing.
    """
    known = {(file.file_path, file.file_size_in_bytes, file.record_count): file for file in shown}
    described = []
    for staged in outcome.files:
        location = uri(staged.key)
        _check_size(staged, io.new_input(location))
        if same := known.get((location, staged.size_bytes, staged.records)):
            described.append(same)
        elif staged.records:  # a file without rows has no statistics that say which partition it belongs to
            described.append(parquet_file_to_data_file(io, metadata, location))
    rows = sum(file.record_count for file in described)
    if rows != outcome.published:
        raise StagedFilesMissing(
            key=f"{outcome.dataset} {outcome.partition} {outcome.version}",
            problem=f"has {rows} rows in its files, but {outcome.published} were staged",
        )
    return described


def _check_size(staged: StagedFile, file: InputFile) -> None:
    if not file.exists():
        raise StagedFilesMissing(key=staged.key, problem="is gone")
    if len(file) != staged.size_bytes:
        problem = f"has {len(file)} bytes, but {staged.size_bytes} were staged"
        raise StagedFilesMissing(key=staged.key, problem=problem)
