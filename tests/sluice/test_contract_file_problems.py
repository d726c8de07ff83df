"""Contract files that are wrong: each is refused at its line (marked `# <-`), by its field, with a cure."""

from __future__ import annotations

import pickle
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.contract_file import read_contract
from sluice.errors import ContractInvalid, ContractProblems

RIGHT = """\
apiVersion: v3.2.0
kind: DataContract
id: events
version: 1.0.0
servers:
  - server: landing
    type: local
    path: events/{date}/*
    format: csv
schema:
  - name: events
    properties:
      - name: id
        logicalType: integer
        required: true
        primaryKey: true
      - name: at
        logicalType: timestamp
      - name: c
        logicalType: string
support:
  - channel: "#events"
customProperties:
  - property: sluice
    value:
      order_by: at
      sort_by: [at]
"""

COLUMN = "        logicalType: string\n"  # of column c
OPTIONS = "        logicalTypeOptions: "
C = "schema[0].properties[2]"


def problems_of(text: str, transform_sql: str | None = None) -> tuple[ContractInvalid, ...]:
    with pytest.raises(ContractProblems) as refused:
        read_contract(text, path="contract.yaml", transform_sql=transform_sql)
    return refused.value.problems


def marked_line(text: str) -> int:
    return text[: text.index("# <-")].count("\n") + 1


def changed(old: str, new: str) -> str:
    assert RIGHT.count(old) == 1
    return RIGHT.replace(old, new)


def column(fields: str) -> str:
    """The right contract with these lines for the type of column c."""
    return changed(COLUMN, "".join(f"        {line}\n" for line in fields.splitlines()))


def options(logical: str, text: str) -> str:
    return column(f"logicalType: {logical}\nlogicalTypeOptions:\n  {text} # <-")


def test_the_right_contract_is_right() -> None:
    assert read_contract(RIGHT, path="contract.yaml").dataset == "events"


@pytest.mark.parametrize(
    ("text", "field", "cure"),
    [
        pytest.param(changed("id: events", "idd: events # <-"), "idd", 'Did you mean "id"?', id="unknown at the top"),
        pytest.param(
            changed("format: csv", "fromat: csv # <-"), "servers[0].fromat", '"format"', id="unknown in a server"
        ),
        pytest.param(
            changed("required: true", "requird: true # <-"),
            "schema[0].properties[0].requird",
            'Did you mean "required"?',
            id="unknown in a column",
        ),
        pytest.param(
            column("logicalType: array\nitems:\n  logicalTyp: string # <-"),
            f"{C}.items.logicalTyp",
            '"logicalType"',
            id="unknown in items",
        ),
        pytest.param(
            column("logicalType: string\nquality:\n  - {mustBee: 1} # <-"),
            f"{C}.quality[0].mustBee",
            '"mustBe"',
            id="unknown in quality",
        ),
        pytest.param(
            changed('channel: "#events"', "chanel: x # <-"), "support[0].chanel", '"channel"', id="unknown in support"
        ),
        pytest.param(
            f"{RIGHT}team:\n  members:\n    - {{usrname: a}} # <-\n",
            "team.members[0].usrname",
            '"username"',
            id="unknown in one form of a team",
        ),
        pytest.param(
            changed("version: 1.0.0", "version: 1.0 # <-"), "version", 'quotes: "1.0"', id="a number where text belongs"
        ),
        pytest.param(
            changed("required: true", "required: yes # <-"),
            "schema[0].properties[0].required",
            "true or false",
            id="text where a boolean belongs",
        ),
        pytest.param(
            changed("primaryKey: true", "primaryKeyPosition: true # <-"),
            "schema[0].properties[0].primaryKeyPosition",
            "a whole number",
            id="a boolean where a number belongs",
        ),
        pytest.param(
            column("logicalType: string\nenum: [a] # <-"), f"{C}.enum[0]", "value", id="enum without the value field"
        ),
        pytest.param(
            changed('support:\n  - channel: "#events"', "support: # <-\n  channel: x"),
            "support",
            '"- "',
            id="not a list",
        ),
        pytest.param(f"{RIGHT}tags:\n  - a\n  - # <-\n", "tags[1]", 'Remove the "-"', id="an empty element"),
        pytest.param(f"{RIGHT}description: Events # <-\n", "description", "purpose", id="text where fields belong"),
        pytest.param(f"{RIGHT}version: 2.0.0 # <-\n", "version", "Remove one", id="a field given twice"),
        pytest.param(
            f"{RIGHT}price: {{priceAmount: .inf}} # <-\n", "price.priceAmount", "finite", id="a number that is none"
        ),
        pytest.param(f"{RIGHT}tenant: !!int x # <-\n", "tenant", "without a YAML tag", id="a tag that lies"),
        pytest.param(f"{RIGHT}tenant: !secret x # <-\n", "tenant", "without a YAML tag", id="a tag of its own"),
        pytest.param(f"{RIGHT}7: x # <-\n", "the file", "plain name", id="a field that is a number"),
        pytest.param(f"{RIGHT}team: &t\n  <<: {{name: x}} # <-\n", "team", "merge keys", id="a merge key"),
        pytest.param(f"{RIGHT}tags: &t [*t] # <-\n", "tags[0]", "Write the fields out", id="an alias of itself"),
    ],
)
def test_what_the_standard_does_not_have_is_refused(text: str, field: str, cure: str) -> None:
    (problem,) = problems_of(text)

    assert (problem.line, problem.field) == (marked_line(text), field)
    assert cure in problem.cure


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        pytest.param("", 1, "is empty", id="empty"),
        pytest.param("# to do\n", 1, "is empty", id="a comment"),
        pytest.param("\n- id: events\n", 2, "no mapping", id="a list"),
        pytest.param("id: events\nservers: [\nschema: x: y\n", 3, "is not YAML", id="not YAML"),
        pytest.param("id: events\n\tversion: 1\n", 2, "is not YAML", id="a tab"),
        pytest.param("id: events\n---\nid: orders\n", 2, "is not YAML", id="two documents"),
        pytest.param("id: events\nname: \x00\n", 2, "is not YAML", id="a forbidden character"),
    ],
)
def test_what_is_not_one_mapping_is_refused(text: str, line: int, problem: str) -> None:
    (found,) = problems_of(text)

    assert (found.line, found.field) == (line, "the file")
    assert problem in found.problem
    assert found.cure


@pytest.mark.parametrize(
    ("text", "field", "cure"),
    [
        pytest.param(changed("v3.2.0", "v2.2.2 # <-"), "apiVersion", "v3.2.0", id="another version"),
        pytest.param(changed("DataContract", "DataProduct # <-"), "kind", "DataContract", id="another kind"),
        pytest.param(changed("version: 1.0.0", "version: # <-"), "version", "1.0.0", id="no version"),
        pytest.param(changed("id: events", "id: # <-"), "id", "web_orders", id="no id"),
        pytest.param(changed("- name: events", "- name: event # <-"), "schema[0].name", "name: events", id="two names"),
        pytest.param(
            changed("- name: events", "- name: events\n    physicalName: tbl # <-"),
            "schema[0].physicalName",
            "physicalName: events",
            id="another physical name",
        ),
        pytest.param(
            changed("support:", "  - name: b\nsupport:").replace("schema:", "schema: # <-"),
            "schema",
            "one object",
            id="two tables",
        ),
        pytest.param(changed("type: local", "type: s3 # <-"), "servers[0].type", "local", id="s3"),
        pytest.param(changed("type: local", "type: kafka # <-"), "servers[0].type", "local", id="kafka"),
        pytest.param(
            changed("type: local", "type: local\n    host: x # <-"), "servers[0].host", "what is read", id="a host"
        ),
        pytest.param(
            changed("servers:", "servers: # <-\n  - {type: local, path: 'a/{date}/*', format: csv}"),
            "servers",
            "one server",
            id="two servers",
        ),
        pytest.param(
            changed("events/{date}/*", "events/*.csv # <-"), "servers[0].path", "{date}", id="a path without date"
        ),
        pytest.param(
            changed("    path: events/{date}/*\n", "").replace("landing", "landing # <-"),
            "servers[0].path",
            "date={date}",
            id="no path",
        ),
        pytest.param(changed("format: csv", "format: json # <-"), "servers[0].format", "jsonl", id="json"),
        pytest.param(changed("format: csv", "format: ndjson # <-"), "servers[0].format", '"jsonl"', id="ndjson"),
        pytest.param(changed("format: csv", "format: parqet # <-"), "servers[0].format", '"parquet"', id="parqet"),
        pytest.param(
            changed("format: csv", "format: csv\n    delimiter: '||' # <-"),
            "servers[0].delimiter",
            "one ASCII character",
            id="two delimiters",
        ),
        pytest.param(
            changed("format: csv", "format: csv\n    delimiter: '\"' # <-"),
            "servers[0].delimiter",
            "not the quote",
            id="the quote as delimiter",
        ),
        pytest.param(
            changed("format: csv", "format: csv\n    encoding: utf-99 # <-"),
            "servers[0].encoding",
            "cp1252",
            id="unknown encoding",
        ),
        pytest.param(
            changed("format: csv", "format: csv\n    encoding: base64 # <-"),
            "servers[0].encoding",
            "cp1252",
            id="an encoding that is not of text",
        ),
        pytest.param(
            changed("format: csv", "format: jsonl\n    encoding: utf-8 # <-"),
            "servers[0].encoding",
            "Leave it out",
            id="encoding of jsonl",
        ),
        pytest.param(changed('channel: "#events"', "url: x # <-"), "support[0].channel", "channel", id="no channel"),
    ],
)
def test_a_wrong_head_or_server_is_refused(text: str, field: str, cure: str) -> None:
    (problem,) = problems_of(text)

    assert (problem.line, problem.field) == (marked_line(text), field)
    assert cure in problem.cure


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        pytest.param("Events", "small letters", id="capital"),
        pytest.param("web-events", "small letters", id="hyphen"),
        pytest.param("1events", "beginning with a letter", id="digit first"),
        pytest.param("order", "web_order", id="reserved by SQL"),
        pytest.param("timestamp", "web_timestamp", id="reserved by Athena"),
        pytest.param("e" * 61, "at most 60", id="long"),
    ],
)
def test_a_name_that_is_unsafe_somewhere_is_refused(name: str, cure: str) -> None:
    (problem,) = problems_of(RIGHT.replace("id: events", f"id: {name}").replace("name: events", f"name: {name}"))

    assert (problem.line, problem.field) == (3, "id")
    assert cure in problem.cure


@pytest.mark.parametrize(
    ("text", "field", "cure"),
    [
        pytest.param(
            changed(f"name: c\n{COLUMN}", "name: c # <-\n"), "logicalType", "Choose one of string", id="no type"
        ),
        pytest.param(
            column("logicalType: strng # <-\nlogicalTypeOptions: {maxLength: 3}"),
            "logicalType",
            '"string"',
            id="misspelt type",
        ),
        pytest.param(column("logicalType: time # <-"), "logicalType", "Use logicalType string", id="time"),
        pytest.param(column("logicalType: vector # <-"), "logicalType", "array", id="vector"),
        pytest.param(
            column("logicalType: integer\nphysicalType: varchar # <-"), "physicalType", "bigint", id="contradiction"
        ),
        pytest.param(
            column("logicalType: number\nphysicalType: decimal # <-"), "physicalType", "decimal(p,s)", id="bare decimal"
        ),
        pytest.param(
            column("logicalType: number\nphysicalType: decimal(39,2) # <-"), "physicalType", "1 to 38", id="39 digits"
        ),
        pytest.param(
            column("logicalType: number\nphysicalType: decimal(4,5) # <-"), "physicalType", "0 to p", id="scale"
        ),
        pytest.param(
            column("logicalType: string\nitems: {logicalType: string} # <-"), "items", "Remove it", id="items of text"
        ),
        pytest.param(
            column("logicalType: object\nphysicalType: json # <-\nproperties: [{name: a, logicalType: date}]"),
            "physicalType",
            "properties out",
            id="json with properties",
        ),
        pytest.param(column("logicalType: object\nproperties: [] # <-"), "properties", "Declare", id="no properties"),
        pytest.param(options("string", "minimum: 1"), "logicalTypeOptions.minimum", "minLength", id="minimum of text"),
        pytest.param(options("string", "maxLen: 1"), "logicalTypeOptions.maxLen", '"maxLength"', id="misspelt option"),
        pytest.param(options("string", "format: email"), "logicalTypeOptions.format", "pattern", id="format of text"),
        pytest.param(options("number", "multipleOf: 5"), "logicalTypeOptions.multipleOf", "decimal", id="multipleOf"),
        pytest.param(options("boolean", "minimum: 0"), "logicalTypeOptions.minimum", "None", id="minimum of a boolean"),
        pytest.param(
            options("integer", "minimum: '0'"), "logicalTypeOptions.minimum", "without quotes", id="text limit"
        ),
        pytest.param(
            options("date", "minimum: 2026-02-30"), "logicalTypeOptions.minimum", "2026-11-01", id="no such day"
        ),
        pytest.param(options("timestamp", "minimum: 2026-02-01"), "logicalTypeOptions.minimum", "Z", id="no zone"),
        pytest.param(options("string", "maxLength: -1"), "logicalTypeOptions.maxLength", "characters", id="negative"),
        pytest.param(
            options("string", "pattern: '(?=a)'"), "logicalTypeOptions.pattern", "no look-ahead", id="look-ahead"
        ),
        pytest.param(options("string", "pattern: 7"), "logicalTypeOptions.pattern", "quotes", id="pattern of a number"),
        pytest.param(
            column("logicalType: number\nlogicalTypeOptions:\n  minimum: 2\n  maximum: 1.5 # <-"),
            "logicalTypeOptions.maximum",
            "Swap",
            id="minimum above maximum",
        ),
        pytest.param(
            options("date", "format: DD/MM/YYYY"), "logicalTypeOptions.format", "yyyy", id="letters of another notation"
        ),
        pytest.param(options("date", "format: MM/yyyy"), "logicalTypeOptions.format", "a day", id="no day"),
        pytest.param(
            options("date", "format: dd/MM/yyyy HH:mm"), "logicalTypeOptions.format", "timestamp", id="time of a date"
        ),
        pytest.param(
            options("timestamp", "format: dd/MM/yyyy hh:mm"), "logicalTypeOptions.format", "AM or PM", id="12 hours"
        ),
        pytest.param(
            options("timestamp", 'format: "yyyy-MM-dd\'T"'), "logicalTypeOptions.format", "Close it", id="open quote"
        ),
        pytest.param(
            options("timestamp", "format: yyyy-MM-dd HH:mmXXX"), "logicalTypeOptions.format", "xxx", id="Z or offset"
        ),
        pytest.param(
            options("timestamp", "format: yyyy-MM-dd HH:mm"),
            "logicalTypeOptions.format",
            "defaultTimezone",
            id="zoneless format",
        ),
        pytest.param(options("timestamp", "timezone: false"), "logicalTypeOptions.timezone", "Etc/UTC", id="zoneless"),
        pytest.param(
            options("timestamp", "defaultTimezone: localtime"),
            "logicalTypeOptions.defaultTimezone",
            "Etc/UTC",
            id="the zone of this machine",
        ),
        pytest.param(
            options("timestamp", "defaultTimezone: Europe/Berln"),
            "logicalTypeOptions.defaultTimezone",
            'Did you mean "Europe/Berlin"?',
            id="misspelt zone",
        ),
        pytest.param(
            column(
                "logicalType: timestamp\nlogicalTypeOptions:\n"
                "  format: yyyy-MM-dd HH:mmxx\n  defaultTimezone: Etc/UTC # <-"
            ),
            "logicalTypeOptions.defaultTimezone",
            "Leave it out",
            id="two zones",
        ),
        pytest.param(column("logicalType: number\nenum: [{value: 1}] # <-"), "enum", "minimum", id="enum of doubles"),
        pytest.param(column("logicalType: string\nenum: [] # <-"), "enum", "list the allowed", id="empty enum"),
        pytest.param(
            column("logicalType: string\nenum: [{value: 1}] # <-"), "enum[0].value", '"1"', id="unquoted enum"
        ),
        pytest.param(
            column("logicalType: integer\nphysicalType: int\nenum: [{value: 2147483648}] # <-"),
            "enum[0].value",
            "type holds",
            id="enum beyond the type",
        ),
        pytest.param(
            column("logicalType: number\nphysicalType: 'decimal(3,1)'\nenum: [{value: 1.25}] # <-"),
            "enum[0].value",
            "type holds",
            id="enum with too many digits",
        ),
        pytest.param(
            column("logicalType: number\nphysicalType: 'decimal(3,1)'\nenum: [{value: 250}] # <-"),
            "enum[0].value",
            "type holds",
            id="enum too large",
        ),
        pytest.param(
            column("logicalType: string\nenum: [{value: a}, {value: a}] # <-"), "enum[1].value", "Remove", id="twice"
        ),
        pytest.param(
            column("logicalType: string\nprimaryKey: true # <-"), "primaryKey", "required: true", id="optional key"
        ),
        pytest.param(column("logicalType: object\nunique: true # <-"), "unique", "plain column", id="unique json"),
        pytest.param(
            column("logicalType: string\nprimaryKeyPosition: 1 # <-"),
            "primaryKeyPosition",
            "primaryKey: true",
            id="position",
        ),
        pytest.param(column("logicalType: string\nphysicalName: d # <-"), "physicalName", "rename", id="physical name"),
        pytest.param(
            column("logicalType: string\npartitioned: true # <-"), "partitioned", "Leave it out", id="partitioned"
        ),
        pytest.param(changed("name: c", "name: Id # <-"), "name", "another name", id="upper and lower case"),
        pytest.param(
            changed("name: c", "name: Partition_Date # <-"), "name", "another name", id="the partition column"
        ),
        pytest.param(changed("name: c", "name: _sluice_line # <-"), "name", "another name", id="a name of Sluice"),
        pytest.param(changed("name: c", 'name: "a\\nb" # <-'), "name", "another name", id="a line break in a name"),
        pytest.param(changed("name: c", "name: # <-"), "name", "as the column is called", id="no name"),
        pytest.param(
            column("logicalType: array # <-\nitems: {logicalType: string}"),
            "logicalType",
            "JSON text",
            id="a list in CSV",
        ),
    ],
)
def test_a_wrong_column_is_refused(text: str, field: str, cure: str) -> None:
    (problem,) = problems_of(text)

    assert (problem.line, problem.field) == (marked_line(text), f"{C}.{field}")
    assert cure in problem.cure


@pytest.mark.parametrize(
    ("lines", "field", "cure"),
    [
        pytest.param("enum: [{value: a}]", "enum", "a column of its own", id="enum"),
        pytest.param("unique: true", "unique", "a column of its own", id="unique"),
        pytest.param("physicalType: varchar(3)", "physicalType", "Use string", id="length"),
        pytest.param("logicalTypeOptions: {pattern: a}", "logicalTypeOptions.pattern", "a column", id="pattern"),
        pytest.param("logicalTypeOptions: {patern: a}", "logicalTypeOptions.patern", "None", id="unknown option"),
    ],
)
def test_rules_inside_nested_values_are_refused(lines: str, field: str, cure: str) -> None:
    text = changed("format: csv", "format: jsonl").replace(
        COLUMN,
        "        logicalType: object\n        properties:\n          - name: m\n"
        f"            logicalType: string\n            {lines} # <-\n",
    )

    (problem,) = problems_of(text)

    assert (problem.line, problem.field) == (marked_line(text), f"{C}.properties[0].{field}")
    assert cure in problem.cure


def test_nested_names_may_not_differ_by_case_alone() -> None:
    text = changed("format: csv", "format: jsonl").replace(
        COLUMN,
        "        logicalType: array\n        items:\n          logicalType: object\n          properties:\n"
        "            - {name: m, logicalType: string}\n            - {name: M, logicalType: string} # <-\n",
    )

    (problem,) = problems_of(text)

    assert (problem.line, problem.field) == (marked_line(text), f"{C}.items.properties[1].name")


def test_a_required_element_of_a_list_is_refused() -> None:
    text = changed("format: csv", "format: jsonl").replace(
        COLUMN,
        "        logicalType: array\n        items:\n          logicalType: string\n          required: true # <-\n",
    )

    (problem,) = problems_of(text)

    assert (problem.line, problem.field) == (marked_line(text), f"{C}.items.required")


@pytest.mark.parametrize(
    ("text", "field", "cure"),
    [
        pytest.param(changed("order_by: at", "orderby: at # <-"), "orderby", '"order_by"', id="unknown"),
        pytest.param(changed("order_by: at", "order_by: att # <-"), "order_by", '"at"', id="no such column"),
        pytest.param(changed("sort_by: [at]", "sort_by: [at, cc] # <-"), "sort_by[1]", '"c"', id="no such sort column"),
        pytest.param(changed("sort_by: [at]", "sort_by: at # <-"), "sort_by", "docs/contracts.md", id="not a list"),
        pytest.param(
            changed("        primaryKey: true\n", "").replace("order_by: at", "order_by: at # <-"),
            "order_by",
            "primaryKey: true",
            id="order without key",
        ),
        pytest.param(
            changed("order_by: at", "start: 20261101 # <-"), "start", "docs/contracts.md", id="start as number"
        ),
        pytest.param(
            changed("order_by: at", "start: 2026-13-01 # <-"), "start", "docs/contracts.md", id="no such month"
        ),
        pytest.param(
            changed("order_by: at", "start: 9999-12-31 # <-"), "start", "docs/contracts.md", id="too far in the future"
        ),
        pytest.param(
            changed("order_by: at", "unknown_fields: drop # <-"),
            "unknown_fields",
            "docs/contracts.md",
            id="no such policy",
        ),
        pytest.param(changed("order_by: at", "csv: {qoute: x} # <-"), "csv.qoute", '"quote"', id="unknown in csv"),
        pytest.param(changed("order_by: at", "csv: {quote: ab} # <-"), "csv.quote", "null", id="two quotes"),
        pytest.param(
            changed("order_by: at", "csv: {header: true} # <-").replace("format: csv", "format: jsonl"),
            "csv",
            "Leave it out",
            id="csv of jsonl",
        ),
    ],
)
def test_a_wrong_setting_is_refused(text: str, field: str, cure: str) -> None:
    (problem,) = problems_of(text)

    assert (problem.line, problem.field) == (marked_line(text), f"customProperties[0].value.{field}")
    assert cure in problem.cure


def test_nested_values_have_no_order() -> None:
    text = column("logicalType: object").replace("sort_by: [at]", "sort_by: [c] # <-")

    (problem,) = problems_of(text)

    assert (problem.line, problem.field) == (marked_line(text), "customProperties[0].value.sort_by[0]")
    assert problem.cure == "Choose a plain column."


def test_settings_under_a_misspelt_name_are_not_ignored() -> None:
    text = changed("property: sluice", "property: Sluce # <-")

    (problem,) = problems_of(text)

    assert (problem.line, problem.field) == (marked_line(text), "customProperties[0].property")
    assert problem.cure == 'Write "sluice".'


def test_settings_are_given_once() -> None:
    text = f"{RIGHT}  - {{property: sluice, value: {{}}}} # <-\n"

    (problem,) = problems_of(text)

    assert (problem.line, problem.field) == (marked_line(text), "customProperties[1]")


def test_settings_hold_fields() -> None:
    text = RIGHT[: RIGHT.index("    value:")] + "    value: on # <-\n"

    (problem,) = problems_of(text)

    assert (problem.line, problem.field) == (marked_line(text), "customProperties[0].value")


def test_a_transform_and_a_server_exclude_each_other() -> None:
    problems = problems_of(RIGHT, transform_sql="select 1 as id")

    assert [problem.field for problem in problems] == ["servers", "customProperties[0].value.order_by"]


def test_key_positions_are_given_to_all_columns_or_none() -> None:
    text = changed("primaryKey: true", "primaryKey: true\n        primaryKeyPosition: 1").replace(
        COLUMN, COLUMN + "        required: true\n        primaryKey: true\n"
    )

    (problem,) = problems_of(text)

    assert problem.field == "schema[0].properties"
    assert "not on c" in problem.problem


def test_two_columns_cannot_have_one_key_position() -> None:
    text = changed("primaryKey: true", "primaryKey: true\n        primaryKeyPosition: 1").replace(
        COLUMN, COLUMN + "        required: true\n        primaryKey: true\n        primaryKeyPosition: 1 # <-\n"
    )

    problems = problems_of(text)

    assert (problems[-1].line, problems[-1].field) == (marked_line(text), f"{C}.primaryKeyPosition")


def test_all_problems_are_told_at_once_by_line() -> None:
    text = (
        changed("order_by: at", "order_by: never")
        .replace("format: csv", "format: xml")
        .replace("logicalType: integer", "logicalType: int")
    )

    problems = problems_of(text)

    assert [problem.line for problem in problems] == [9, 14, 26]


def test_the_message_says_where_and_what_to_do() -> None:
    problems = problems_of(changed("format: csv", "format: ndjson"))

    assert str(ContractProblems(problems)) == (
        "1 problem in a contract:\n"
        '  contract.yaml:9: servers[0].format: is "ndjson", which Sluice cannot read. Did you mean "jsonl"?\n'
        " Correct them, then check with: sluice contracts check"
    )


def test_problems_survive_the_border_of_a_process() -> None:
    problems = problems_of(changed("format: csv", "format: ndjson"))

    restored = pickle.loads(pickle.dumps(ContractProblems(problems)))

    assert [problem.line for problem in restored.problems] == [9]


@given(
    st.integers(0, RIGHT.count("\n") - 1),
    st.sampled_from(
        ["", "~", "[]", "{}", "[1]", "-1", "1.5", "true", "{a: 1}", "[{}]", "!!int x", "*x", "|", "-", "%"]
    ),
)
def test_any_value_anywhere_is_read_or_refused(line: int, value: str) -> None:
    lines = RIGHT.splitlines()
    lines[line] = f"{lines[line].partition(':')[0]}: {value}"

    with suppress(ContractProblems):  # anything else that is raised fails the test
        read_contract("\n".join(lines), path="contract.yaml")
