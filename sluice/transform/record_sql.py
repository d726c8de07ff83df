"""The two statements of the transform's first half: parse every record once, then say of each bad one why it is bad."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sluice.contract import UnknownFields
from sluice.datatypes import Date, ListOf, Struct, Text, Timestamp
from sluice.reading.csv_fields import field_value, fields_expression
from sluice.sql_types import quote_identifier, quote_literal
from sluice.transform.column_sql import LINE, RAW, WHOLE, ColumnSql, Fault, column_sql, json_shape
from sluice.transform.shim_sql import contradiction, fields_of

if TYPE_CHECKING:
    from sluice.contract import Column, Contract, CsvDialect

OBJECT = "_sluice_object"
LINE_NO = "_sluice_line_no"
UNKNOWN = "_sluice_unknown"
_NAMES = "_sluice_names"
_FIELDS = "_sluice_fields"
_SOUND = "_sluice_sound"
_DECLARED = "_sluice_declared"
_OTHER = "_sluice_other_"
_CONTRADICTS = "_sluice_contradicts"
GOOD = "_sluice_good"
SEPARATOR = "chr(31)"
"""Stands between the names in the column of unknown fields."""
_SMALLEST_MEMBER = len(',"":0')

REASON_TYPE = 'STRUCT(code VARCHAR, "column" VARCHAR, value VARCHAR)'
_LONGEST_VALUE = 200
"""Characters of an offending value kept in a reason; the record's original bytes are kept whole beside it."""


@dataclass(frozen=True, slots=True)
class CsvLayout:
    """The fields of a CSV object in their order, by name, and how they are written."""

    header: tuple[str, ...]
    dialect: CsvDialect


@dataclass(frozen=True, slots=True)
class RecordSql:
    """How records of one layout are read: CSV records with `csv`, JSON objects without.

    With `keep_lines` every record keeps its line, not only the bad ones.
    """

    contract: Contract
    csv: CsvLayout | None = None
    keep_lines: bool = False

    def parsed(self, relation: str) -> str:
        """Select object, line number, the line if the record is bad, whether it is good, unknown names, columns."""
        columns = self._columns()
        typed = ", ".join(f"{column.value} AS {quote_identifier(column.name)}" for column in columns)
        faults = [fault for column in columns for fault in column.faults]
        doubts = " OR ".join(f"({fault.doubt})" for fault in faults) or "false"
        bad = " OR ".join(f"({fault.condition})" for fault in faults) or "false"
        good = f"{_SOUND} AND CASE WHEN {doubts} THEN NOT ({bad}) ELSE true END"
        line = LINE if self.keep_lines else f"CASE WHEN {GOOD} THEN NULL ELSE {LINE} END"
        names = ", ".join(quote_identifier(column.name) for column in columns)
        return f"""
            WITH read AS ({self._read(relation)}),
            typed AS (SELECT *, {typed} FROM read),
            judged AS (SELECT *, {good} AS {GOOD} FROM typed)
            SELECT {OBJECT}, {LINE_NO}, {line} AS {LINE}, {GOOD}, {UNKNOWN}, {names} FROM judged"""

    def explained(self, relation: str) -> str:
        """Select object, line number, line and reasons (REASON_TYPE[]) of records known to be bad."""
        columns = self._columns()
        typed = ", ".join(f"{column.value} AS {quote_identifier(column.name)}" for column in columns)
        of_record = _reasons(self._record_faults())
        of_columns = _reasons([fault for column in columns for fault in column.faults])
        return f"""
            WITH read AS ({self._read(relation, all_names=True)}),
            typed AS (SELECT *, {typed} FROM read)
            SELECT {OBJECT}, {LINE_NO}, {LINE}, CASE WHEN {_SOUND} THEN {of_columns} ELSE {of_record} END AS reasons
            FROM typed"""

    def _columns(self) -> tuple[ColumnSql, ...]:
        return tuple(column_sql(column, is_json=self.csv is None) for column in self.contract.columns)

    def _read(self, relation: str, *, all_names: bool = False) -> str:
        return (
            self._read_json(relation, all_names=all_names) if self.csv is None else self._read_csv(relation, self.csv)
        )

    def _read_json(self, relation: str, *, all_names: bool) -> str:
        columns = self.contract.columns
        listed = f"[{', '.join(quote_literal(name) for column in columns for name in fields_of(column))}]"
        names = f"json_keys({WHOLE})"
        if not all_names:
            too_short = f"strlen({WHOLE}) < {_least_bytes(self.contract)} + {_SMALLEST_MEMBER}"
            names = f"CASE WHEN {too_short} THEN NULL ELSE {names} END"
        doubled = f"len({_NAMES}) <> len(list_distinct({_NAMES}))"
        extra = f"list_filter({_NAMES}, lambda name: NOT list_contains({listed}, name))"
        # Held as text: a list column would cost more than all checks of the contract's columns together.
        extra = f"array_to_string({extra}, {SEPARATOR})"
        refused = f" AND {UNKNOWN} IS NULL" if self._refuses_unknown else ""
        return f"""
            WITH whole AS (
                SELECT obj AS {OBJECT}, line_no AS {LINE_NO}, line AS {LINE},
                    CASE WHEN json_valid(line) AND {_starts_object("line")} THEN line END AS {WHOLE}
                FROM {relation}),
            members AS ({_members(columns)}),
            named AS (SELECT *, {names} AS {_NAMES} FROM members),
            checked AS (SELECT *,
                CASE WHEN {_NAMES} IS NULL THEN false WHEN {_NAMES} = {listed} THEN false ELSE {doubled} END
                    AS _doubled,
                CASE WHEN {_NAMES} IS NULL THEN NULL WHEN list_has_all({listed}, {_NAMES}) THEN NULL
                    ELSE {extra} END AS {UNKNOWN}
                FROM named)
            SELECT *, {WHOLE} IS NOT NULL AND NOT _doubled AND NOT {_CONTRADICTS}{refused} AS {_SOUND} FROM checked"""

    def _read_csv(self, relation: str, csv: CsvLayout) -> str:
        texts = {column.name: _csv_texts(column, csv) for column in self.contract.columns}
        members = ", ".join(
            f"{quote_identifier(name)} := coalesce({', '.join([*found, 'CAST(NULL AS VARCHAR)'])})"
            for name, found in texts.items()
        )
        contradicts = " OR ".join(contradiction(found) for found in texts.values() if len(found) > 1) or "false"
        return f"""
            WITH split AS (
                SELECT obj AS {OBJECT}, line_no AS {LINE_NO}, line AS {LINE},
                    {fields_expression("line", csv.dialect)} AS {_FIELDS}
                FROM {relation})
            SELECT *, {self._unknown_in(csv)} AS {UNKNOWN}, struct_pack({members}) AS {RAW},
                {contradicts} AS {_CONTRADICTS},
                len({_FIELDS}) = {len(csv.header)} AND NOT ({contradicts}) AS {_SOUND}
            FROM split"""

    def _unknown_in(self, csv: CsvLayout) -> str:
        """The names in the header that no column has, which every record of the object then holds."""
        known = {name for column in self.contract.columns for name in fields_of(column)}
        names = [quote_literal(name) for name in dict.fromkeys(csv.header) if name not in known]
        return f"array_to_string([{', '.join(names)}], {SEPARATOR})" if names else "CAST(NULL AS VARCHAR)"

    def _record_faults(self) -> list[Fault]:
        if self.csv is not None:
            expected = len(self.csv.header)
            found = f"concat(len({_FIELDS}), ' fields, expected {expected}')"
            return [
                _fault("column_count", f"len({_FIELDS}) <> {expected}", found),
                _fault("duplicate_field", _CONTRADICTS, LINE),
            ]
        doubled = f"list_filter({_NAMES}, lambda name: len(list_filter({_NAMES}, lambda other: other = name)) > 1)"
        return [
            _fault("malformed_json", f"NOT json_valid({LINE})", LINE),
            _fault("not_an_object", f"json_valid({LINE}) AND {_NAMES} IS NULL", LINE),
            _fault("duplicate_field", f"coalesce(len({doubled}), 0) > 0", f"list_extract({doubled}, 1)"),
            _fault("duplicate_field", _CONTRADICTS, LINE),
            *(
                [_fault("unknown_field", f"{UNKNOWN} IS NOT NULL", f"replace({UNKNOWN}, {SEPARATOR}, ', ')")]
                if self._refuses_unknown
                else []
            ),
        ]

    @property
    def _refuses_unknown(self) -> bool:
        return self.contract.unknown_fields is UnknownFields.REJECT


def _fault(code: str, condition: str, value: str) -> Fault:
    return Fault(quote_literal(code), "", condition, value, condition)


def _members(columns: tuple[Column, ...]) -> str:
    """Select the fields as texts, each under its column's name.

    Every further name of a field is read by itself: a shape may not hold two names that differ by case alone.
    """
    declared = quote_literal(json_shape((column.name, column.type) for column in columns))
    others = [(column, name) for column in columns for name in column.shim.also_called]
    if not others:
        return f"SELECT *, json_transform({WHOLE}, {declared}) AS {RAW}, false AS {_CONTRADICTS} FROM whole"
    read = ", ".join(
        f"json_transform({WHOLE}, {quote_literal(json_shape([(name, column.type)]))})"
        f".{quote_identifier(name)} AS {_OTHER}{number}"
        for number, (column, name) in enumerate(others)
    )
    texts: dict[str, list[str]] = {c.name: [f"{_DECLARED}.{quote_identifier(c.name)}"] for c in columns}
    for number, (column, _) in enumerate(others):
        texts[column.name].append(f"{_OTHER}{number}")
    members = ", ".join(f"{quote_identifier(name)} := coalesce({', '.join(found)})" for name, found in texts.items())
    contradicts = " OR ".join(contradiction(found) for found in texts.values() if len(found) > 1)
    return f"""
        SELECT *, struct_pack({members}) AS {RAW}, {contradicts} AS {_CONTRADICTS}
        FROM (SELECT *, json_transform({WHOLE}, {declared}) AS {_DECLARED}, {read} FROM whole)"""


def _csv_texts(column: Column, csv: CsvLayout) -> list[str]:
    """The column's text under each of its names that the header has."""
    place = {name: number for number, name in enumerate(csv.header, start=1)}
    return [_csv_text(column, f"{_FIELDS}[{place[name]}]", csv.dialect) for name in fields_of(column) if name in place]


def _csv_text(column: Column, field: str, dialect: CsvDialect) -> str:
    """The field's text; an empty field in quotes is a value of text columns only: some programs quote every field."""
    text = field_value(field, dialect)
    return text if isinstance(column.type, Text) else f"nullif({text}, '')"


def _starts_object(line: str) -> str:
    """Whether valid JSON is an object; nearly always its first character says so."""
    trimmed = f"ltrim({line}, concat(' ', chr(9), chr(13)))"
    return f"CASE WHEN unicode({line}) = ord('{{') THEN true ELSE {trimmed} LIKE '{{%' END"


def _least_bytes(contract: Contract) -> str:
    """The fewest bytes that a good record can take to name what was read from it.

    A line too short to hold one member more than the contract's has neither an unknown nor a doubled field, so its
    names need not be listed, which would cost a third of the whole parse. Whitespace, escapes and quoted numbers only
    make a line longer than this.
    """
    return " + ".join(["1", *(_least_member(column) for column in contract.columns)])


def _least_member(column: Column) -> str:
    text = f"{RAW}.{quote_identifier(column.name)}"
    name = min(len(field.encode()) for field in fields_of(column)) + len('"":,')
    match column.type:
        case Struct() | ListOf():
            return f"CASE WHEN {text} IS NULL THEN 0 ELSE {name} + 2 END"
        case Text():
            # Bare numbers, true and false are taken as text too, and those need no quotes. (To compare texts is the
            # cheapest question DuckDB answers; asking for their first character costs twice as much.)
            bare = f"{text} < ':' OR {text} = 'true' OR {text} = 'false'"
            return f"coalesce({name} + strlen({text}) + CASE WHEN {bare} THEN 0 ELSE 2 END, 0)"
        case Date(format=None) | Timestamp(format=None):
            # Written as ISO 8601 they are no JSON numbers, so they stand in quotes.
            return f"coalesce({name} + strlen({text}) + 2, 0)"
        case _:
            return f"coalesce({name} + strlen({text}), 0)"


def _reasons(faults: list[Fault]) -> str:
    items = ", ".join(
        f"CASE WHEN {fault.condition} THEN CAST(ROW({fault.code}, {quote_literal(fault.column)}, "
        f"left({fault.value}, {_LONGEST_VALUE})) AS {REASON_TYPE}) END"
        for fault in faults
    )
    return f"list_filter([{items}], lambda reason: reason IS NOT NULL)" if faults else f"CAST([] AS {REASON_TYPE}[])"
