"""Where a dataset's files land and how they are written, from the one server of a contract."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from sluice.contract import CsvDialect, FileFormat, Source
from sluice.contract_file.pull import read_pull
from sluice.errors import LocationInvalid, did_you_mean
from sluice.location import Location
from sluice.pulling.note import pages_pattern

if TYPE_CHECKING:
    from open_data_contract_standard.model import Server

    from sluice.contract_file.place import Place
    from sluice.contract_file.settings import CsvSettings, Settings
    from sluice.pulling.pull import Pull

_READ = {
    "local": {"type", "path", "format", "delimiter", "encoding"},
    "api": {"type", "location", "format", "delimiter", "encoding"},
}
_METADATA = {"id", "server", "description", "environment", "roles", "customProperties"}
_FORMATS = {
    "local": (FileFormat.JSONL, FileFormat.CSV, FileFormat.PARQUET),
    "api": (FileFormat.JSON, FileFormat.JSONL, FileFormat.CSV),
}
_NEAR_FORMATS = {
    "json": 'Write "jsonl" if each line is one JSON object; a file that is one JSON array is not read.',
    "ndjson": 'Did you mean "jsonl"?',
    "tsv": 'Write "csv" with "delimiter: tab".',
}


def read_source(
    dataset: str, servers: list[Server], place: Place, settings: Settings, settings_place: Place
) -> Source | None:
    """Return the source, or None after refusing."""
    if len(servers) != 1:
        problem = "is missing." if not servers else f"has {len(servers)} entries."
        cure = "Name the one server where files land (type, path, format), or put a transform.sql beside the contract."
        place.refuse(problem, cure)
        return None
    server, here = servers[0], place[0]
    if server.type not in _READ:
        _refuse_type(server.type, here["type"])
        return None
    found = len(here.problems)
    _refuse_unread(server, here)
    file_format = _format(server, here["format"])
    pattern, pull = _where(dataset, server, here, file_format, settings, settings_place)
    csv, csv_place = settings.csv, settings_place["csv"]
    dialect = _dialect(server, here, csv, csv_place) if file_format is FileFormat.CSV else CsvDialect()
    if file_format is not None and file_format is not FileFormat.CSV:
        _refuse_csv_fields(server, here, csv, csv_place)
    if len(here.problems) > found or pattern is None or file_format is None:
        return None
    return Source(pattern, file_format, dialect, pull)


def _where(
    dataset: str, server: Server, here: Place, file_format: FileFormat | None, settings: Settings, settings_place: Place
) -> tuple[str | None, Pull | None]:
    """Return where the files are, and how they get there if Sluice pulls them."""
    place = settings_place["pull"]
    if server.type == "api":
        pull = read_pull(settings.pull, place, server.location, here["location"], file_format)
        return pages_pattern(dataset, file_format) if file_format else None, pull
    _check_path(server.path, here["path"])
    if settings.pull is not None:
        place.refuse("is about a server of type api, but files land by themselves here.", "Leave it out.")
    return server.path, None


def _refuse_type(kind: str | None, place: Place) -> None:
    if kind is None:
        place.refuse("is missing.", "Write type: local.")
    elif kind == "s3":
        place.refuse("is s3, which this version cannot read yet.", "Write type: local and a path below the raw zone.")
    else:
        place.refuse(f'is "{kind}", which Sluice cannot read.', "Write type: local, or api for an HTTP source.")


def _refuse_unread(server: Server, place: Place) -> None:
    for name in server.model_dump(exclude_none=True, by_alias=True):
        read = _READ[server.type or "local"]
        if name not in read | _METADATA:
            place[name].refuse(
                f"is not read for type {server.type}.", f"Leave it out; what is read: {', '.join(sorted(read))}."
            )


def _check_path(path: str | None, place: Place) -> None:
    if path is None:
        place.refuse("is missing.", 'Write where files land, such as "orders/date={date}/*.jsonl".')
        return
    try:
        Location.parse(path)
    except LocationInvalid as error:
        place.refuse(f'"{path}" {error.problem}.', error.cure)


def _format(server: Server, place: Place) -> FileFormat | None:
    name, known = server.format, _FORMATS[server.type or "local"]
    if name is None:
        place.refuse("is missing.", f"Choose one of {', '.join(known)}.")
    elif name in known:
        return FileFormat(name)
    elif name in tuple(FileFormat) and name not in _NEAR_FORMATS:
        place.refuse(f'is "{name}", which type {server.type} cannot have.', f"Choose one of {', '.join(known)}.")
    else:
        cure = _NEAR_FORMATS.get(name.lower()) or did_you_mean(name, known)
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
