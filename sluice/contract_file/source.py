"""Where a dataset's files land and how they are written, from the one server of a contract."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from sluice.contract import CsvDialect, FileFormat, Source
from sluice.errors import LocationInvalid, did_you_mean
from sluice.location import Location

if TYPE_CHECKING:
    from open_data_contract_standard.model import Server

    from sluice.contract_file.place import Place
    from sluice.contract_file.settings import CsvSettings

_READ = {"type", "path", "format", "delimiter", "encoding"}
_METADATA = {"id", "server", "description", "environment", "roles", "customProperties"}
_FORMATS = tuple(FileFormat)
_NEAR_FORMATS = {
    "json": 'Write "jsonl" if each line is one JSON object; a file that is one JSON array is not read.',
    "ndjson": 'Did you mean "jsonl"?',
    "tsv": 'Write "csv" with "delimiter: tab".',
}


def read_source(servers: list[Server], place: Place, csv: CsvSettings | None, csv_place: Place) -> Source | None:
    """Return the source, or None after refusing; `csv` are the settings, None when the contract has none."""
    if len(servers) != 1:
        problem = "is missing." if not servers else f"has {len(servers)} entries."
        cure = "Name the one server where files land (type, path, format), or put a transform.sql beside the contract."
        place.refuse(problem, cure)
        return None
    server, here = servers[0], place[0]
    if server.type != "local":
        _refuse_type(server.type, here["type"])
        return None
    found = len(here.problems)
    _refuse_unread(server, here)
    _check_path(server.path, here["path"])
    file_format = _format(server.format, here["format"])
    dialect = _dialect(server, here, csv, csv_place) if file_format is FileFormat.CSV else CsvDialect()
    if file_format is not None and file_format is not FileFormat.CSV:
        _refuse_csv_fields(server, here, csv, csv_place)
    if len(here.problems) > found or server.path is None or file_format is None:
        return None
    return Source(server.path, file_format, dialect)


def _refuse_type(kind: str | None, place: Place) -> None:
    if kind is None:
        place.refuse("is missing.", "Write type: local.")
    elif kind == "s3":
        place.refuse("is s3, which this version cannot read yet.", "Write type: local and a path below the raw zone.")
    else:
        place.refuse(f'is "{kind}", which Sluice cannot read.', "Write type: local.")


def _refuse_unread(server: Server, place: Place) -> None:
    for name in server.model_dump(exclude_none=True, by_alias=True):
        if name not in _READ | _METADATA:
            place[name].refuse(
                "is not read for type local.", f"Leave it out; what is read: {', '.join(sorted(_READ))}."
            )


def _check_path(path: str | None, place: Place) -> None:
    if path is None:
        place.refuse("is missing.", 'Write where files land, such as "orders/date={date}/*.jsonl".')
        return
    try:
        Location.parse(path)
    except LocationInvalid as error:
        place.refuse(f'"{path}" {error.problem}.', error.cure)


def _format(name: str | None, place: Place) -> FileFormat | None:
    if name is None:
        place.refuse("is missing.", f"Choose one of {', '.join(_FORMATS)}.")
    elif name in _FORMATS:
        return FileFormat(name)
    else:
        cure = _NEAR_FORMATS.get(name.lower()) or did_you_mean(name, _FORMATS)
        place.refuse(f'is "{name}", which Sluice cannot read.', cure)
    return None


def _dialect(server: Server, place: Place, csv: CsvSettings | None, csv_place: Place) -> CsvDialect:
    usual = CsvDialect()
    delimiter = "\t" if server.delimiter == "tab" else server.delimiter or usual.delimiter
    quote = csv.quote if csv else usual.quote
    if not _is_one_character(delimiter) or delimiter == quote:
        place["delimiter"].refuse(
            f'is "{server.delimiter}".', 'Write one ASCII character that is not the quote, or "tab".'
        )
    if quote is not None and not _is_one_character(quote):
        csv_place["quote"].refuse(f'is "{quote}".', "Write one ASCII character, or null if quotes mean nothing.")
    encoding = _encoding(server.encoding or usual.encoding, place["encoding"])
    return CsvDialect(delimiter, quote, csv.header if csv else usual.header, encoding)


def _is_one_character(text: str) -> bool:
    return len(text) == 1 and text.isascii() and text not in "\r\n\0"


def _encoding(name: str, place: Place) -> str:
    """Two names of one encoding must not make two contracts, so the canonical name is kept."""
    try:
        "".encode(name)  # refuses codecs that are not text encodings, too
        return codecs.lookup(name).name
    except LookupError:
        place.refuse(f'is "{name}", which is no text encoding.', "Write a name such as utf-8, latin-1 or cp1252.")
        return name


def _refuse_csv_fields(server: Server, place: Place, csv: CsvSettings | None, csv_place: Place) -> None:
    for name in ("delimiter", "encoding"):
        if getattr(server, name) is not None:
            place[name].refuse(f"belongs to format csv, not {server.format}.", "Leave it out.")
    if csv is not None:
        csv_place.refuse(f"belongs to format csv, not {server.format}.", "Leave it out.")
