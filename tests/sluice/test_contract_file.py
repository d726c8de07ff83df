"""Contract files that are right: what each field becomes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as Number

import pytest

from sluice.contract import Column, CsvDialect, FileFormat, Rules, Source, UnknownFields
from sluice.contract_file import ContractFile, read_contract, read_contracts
from sluice.datatypes import (
    Boolean,
    DataType,
    Date,
    Decimal,
    Double,
    Field,
    Integer,
    Json,
    ListOf,
    Struct,
    Text,
    Timestamp,
)
from sluice.errors import ContractProblems

HEAD = """\
apiVersion: v3.2.0
kind: DataContract
id: events
version: 1.0.0
"""
SERVER = """\
servers:
  - {type: local, path: "events/{date}/*", format: jsonl}
"""
BODY = """\
schema:
  - name: events
    properties:
      - {name: id, logicalType: integer, required: true, primaryKey: true}
      - {name: at, logicalType: timestamp}
"""


def with_column(fields: str, *, rest: str = SERVER) -> Column:
    return read_contract(HEAD + rest + BODY + f"      - {{name: c, {fields}}}\n", path="contract.yaml").column("c")


def with_settings(settings: str) -> str:
    return f"{HEAD}{SERVER}{BODY}customProperties: [{{property: sluice, value: {settings}}}]\n"


@pytest.mark.parametrize(
    ("fields", "datatype"),
    [
        pytest.param("logicalType: string", Text(), id="string"),
        pytest.param("logicalType: string, physicalType: varchar(20)", Text(), id="varchar"),
        pytest.param("logicalType: integer", Integer(64), id="integer"),
        pytest.param("logicalType: integer, physicalType: INT", Integer(32), id="int"),
        pytest.param("logicalType: integer, physicalType: bigint", Integer(64), id="bigint"),
        pytest.param("logicalType: number", Double(), id="number"),
        pytest.param("logicalType: number, physicalType: float", Double(), id="float"),
        pytest.param('logicalType: number, physicalType: "decimal(38,38)"', Decimal(38, 38), id="decimal"),
        pytest.param('logicalType: number, physicalType: "NUMERIC( 9 )"', Decimal(9, 0), id="numeric"),
        pytest.param("logicalType: boolean", Boolean(), id="boolean"),
        pytest.param("logicalType: date", Date(), id="date"),
        pytest.param("logicalType: date, logicalTypeOptions: {format: d.M.yy}", Date("%-d.%-m.%y"), id="date format"),
        pytest.param("logicalType: timestamp, physicalType: timestamptz", Timestamp(), id="timestamp"),
        pytest.param(
            "logicalType: timestamp, logicalTypeOptions: {timezone: false, defaultTimezone: Europe/Berlin}",
            Timestamp("Europe/Berlin"),
            id="timestamp in a zone",
        ),
        pytest.param(
            "logicalType: timestamp, logicalTypeOptions: {format: \"yyyy-MM-dd'T'HH:mm:ss.SSSxxx\"}",
            Timestamp(None, "%Y-%m-%dT%H:%M:%S.%g%z"),
            id="timestamp format with offset",
        ),
        pytest.param(
            "logicalType: timestamp, logicalTypeOptions: {format: dd/MM/yyyy hh:mm a, defaultTimezone: Etc/UTC}",
            Timestamp("Etc/UTC", "%d/%m/%Y %I:%M %p"),
            id="timestamp format in a zone",
        ),
        pytest.param(
            "logicalType: timestamp, logicalTypeOptions: {format: \"d.M.yyyy H:m '100%z'\", defaultTimezone: Etc/UTC}",
            Timestamp("Etc/UTC", "%-d.%-m.%Y %-H:%-M 100%%z"),
            id="a percent sign in a timestamp format",
        ),
        pytest.param("logicalType: object", Json(), id="object of any shape"),
        pytest.param("logicalType: object, physicalType: json", Json(), id="json"),
        pytest.param("logicalType: array", Json(), id="array of anything"),
        pytest.param("logicalType: array, items: {logicalType: date}", ListOf(Date()), id="array"),
        pytest.param(
            "logicalType: object, properties: [{name: a, logicalType: string, required: true, description: An a}, "
            "{name: b, logicalType: array, items: {logicalType: object, properties: [{name: x, logicalType: date}]}}]",
            Struct(
                (
                    Field("a", Text(), required=True, description="An a"),
                    Field("b", ListOf(Struct((Field("x", Date()),)))),
                )
            ),
            id="nested",
        ),
    ],
)
def test_logical_and_physical_type_decide_the_column_type(fields: str, datatype: DataType) -> None:
    assert with_column(fields).type == datatype


@pytest.mark.parametrize(
    ("fields", "rules"),
    [
        pytest.param(
            "logicalType: number, logicalTypeOptions: {minimum: 0.1, exclusiveMaximum: 10}",
            Rules(minimum=Number("0.1"), exclusive_maximum=Number(10)),
            id="exact numbers",
        ),
        pytest.param(
            "logicalType: integer, logicalTypeOptions: {exclusiveMinimum: 0, maximum: 9223372036854775807}",
            Rules(exclusive_minimum=Number(0), maximum=Number(9223372036854775807)),
            id="large integers",
        ),
        pytest.param(
            "logicalType: date, logicalTypeOptions: {minimum: 2020-01-01, maximum: '2030-12-31'}",
            Rules(minimum="2020-01-01", maximum="2030-12-31"),
            id="dates, quoted or not",
        ),
        pytest.param(
            "logicalType: timestamp, logicalTypeOptions: {minimum: 2020-01-01T00:00:00+01:00}",
            Rules(minimum="2019-12-31T23:00:00+00:00"),
            id="instants become UTC",
        ),
        pytest.param(
            "logicalType: timestamp, logicalTypeOptions: {maximum: 2020-07-01, defaultTimezone: Europe/Berlin}",
            Rules(maximum="2020-06-30T22:00:00+00:00"),
            id="instants without zone are in the default zone",
        ),
        pytest.param(
            "logicalType: string, logicalTypeOptions: {minLength: 1, maxLength: 5, pattern: '^a+$'}",
            Rules(min_length=1, max_length=5, pattern="^a+$"),
            id="text",
        ),
        pytest.param("logicalType: string, physicalType: varchar(7)", Rules(max_length=7), id="varchar"),
        pytest.param(
            "logicalType: string, physicalType: varchar(7), logicalTypeOptions: {maxLength: 3}",
            Rules(max_length=3),
            id="the stricter length",
        ),
        pytest.param(
            "logicalType: string, physicalType: varchar(3), logicalTypeOptions: {maxLength: 7}",
            Rules(max_length=3),
            id="the stricter length of the type",
        ),
        pytest.param(
            "logicalType: string, enum: [{value: yes}, {value: 'NO', label: no}]",
            Rules(allowed=("yes", "NO")),
            id="enum",
        ),
        pytest.param("logicalType: boolean, enum: [{value: true}]", Rules(allowed=("true",)), id="enum of booleans"),
        pytest.param(
            'logicalType: number, physicalType: "decimal(3,1)", enum: [{value: 1.5}, {value: 20}]',
            Rules(allowed=("1.5", "20")),
            id="enum of decimals",
        ),
    ],
)
def test_options_become_rules(fields: str, rules: Rules) -> None:
    assert with_column(fields).rules == rules


def test_a_column_keeps_what_is_said_about_it() -> None:
    column = with_column(
        "logicalType: string, required: true, unique: true, description: A c, classification: personal"
    )

    assert column == Column("c", Text(), required=True, unique=True, description="A c", classification="personal")


def test_defaults_are_safe() -> None:
    contract = read_contract(HEAD + SERVER + BODY, path="contract.yaml")

    assert contract.source == Source("events/{date}/*", FileFormat.JSONL)
    assert (contract.order_by, contract.sort_by, contract.unknown_fields) == (None, (), UnknownFields.IGNORE)
    assert (contract.start, contract.domain, contract.owner) == (date(2010, 1, 1), "default", None)


@pytest.mark.parametrize("start", ["2026-11-01", "'2026-11-01'"], ids=["a YAML date", "text"])
def test_start_is_a_date_in_either_form(start: str) -> None:
    contract = read_contract(with_settings(f"{{start: {start}}}"), path="contract.yaml")

    assert contract.start == date(2026, 11, 1)


def test_settings_are_taken() -> None:
    text = with_settings("{order_by: at, sort_by: [at, id], unknown_fields: reject}")

    contract = read_contract(text, path="contract.yaml")

    assert (contract.order_by, contract.sort_by) == ("at", ("at", "id"))
    assert contract.unknown_fields is UnknownFields.REJECT


def test_csv_fields_of_server_and_settings_make_one_dialect() -> None:
    text = with_settings("{csv: {quote: null, header: false}}").replace(
        "format: jsonl", "format: csv, delimiter: tab, encoding: Latin-1"
    )

    contract = read_contract(text, path="contract.yaml")

    assert contract.source is not None
    assert contract.source.csv == CsvDialect(delimiter="\t", quote=None, header=False, encoding="iso8859-1")


def test_settings_of_other_tools_are_left_alone() -> None:
    text = HEAD + SERVER + BODY + "customProperties: [{property: catalogue, value: {anything: true}}]\n"

    assert read_contract(text, path="contract.yaml").dataset == "events"


def test_quality_and_service_levels_are_left_for_others() -> None:
    text = (
        HEAD
        + SERVER
        + BODY
        + """\
    quality: [{type: library, metric: rowCount, mustBeGreaterThan: 0.5}]
slaProperties: [{property: latency, value: 4, unit: h}]
roles: [{role: analyst, access: read}]
"""
    )

    assert read_contract(text, path="contract.yaml").dataset == "events"


@pytest.mark.parametrize(
    ("team", "owner"),
    [
        pytest.param("{members: [{username: a, role: steward}, {username: b, role: Owner}]}", "b", id="the owner"),
        pytest.param("[{username: a, role: steward}, {username: b, role: OWNER}]", "b", id="the older form"),
        pytest.param("{members: [{username: a, role: steward}, {username: b}]}", "a", id="the first"),
        pytest.param("{name: shop}", "shop", id="the team"),
    ],
)
def test_the_owner_is_found_in_the_team(team: str, owner: str) -> None:
    assert read_contract(f"{HEAD}{SERVER}{BODY}team: {team}\n", path="contract.yaml").owner == owner


def test_the_key_follows_its_positions() -> None:
    text = HEAD + SERVER + BODY.replace("primaryKey: true", "primaryKey: true, primaryKeyPosition: 2")
    text += "      - {name: c, logicalType: string, required: true, primaryKey: true, primaryKeyPosition: 1}\n"

    assert read_contract(text, path="contract.yaml").primary_key == ("c", "id")


def test_a_transform_needs_no_server() -> None:
    contract = read_contract(HEAD + BODY, path="contract.yaml", transform_sql="select 1 as id")

    assert (contract.source, contract.transform_sql) == (None, "select 1 as id")


def test_aliases_of_yaml_are_followed() -> None:
    text = HEAD + SERVER + BODY.replace("{name: at, ", "&at {name: at, ")

    assert read_contract(f"{text}tags: [&t one, *t]\n", path="contract.yaml").tags == ("one", "one")


def test_the_fingerprint_is_that_of_what_decides_rows() -> None:
    contract = read_contract(HEAD + SERVER + BODY, path="a.yaml")
    described = read_contract(HEAD + "description: {purpose: Events.}\n" + SERVER + BODY, path="b.yaml")
    stricter = read_contract(HEAD + SERVER + BODY.replace("timestamp}", "timestamp, required: true}"), path="a.yaml")

    assert len(contract.fingerprint) == 12
    assert contract.fingerprint == described.fingerprint
    assert contract.fingerprint != stricter.fingerprint


def test_a_dataset_is_declared_once() -> None:
    files = [
        ContractFile("a/contract.yaml", HEAD + SERVER + BODY),
        ContractFile("b/contract.yaml", HEAD + SERVER + BODY),
    ]

    with pytest.raises(ContractProblems) as refused:
        read_contracts(files)

    (problem,) = refused.value.problems
    assert (problem.path, problem.line, problem.field) == ("b/contract.yaml", 3, "id")
    assert "a/contract.yaml" in problem.problem


def test_problems_of_all_files_are_told_at_once() -> None:
    files = [ContractFile("a.yaml", "id: [\n"), ContractFile("b.yaml", HEAD + SERVER), ContractFile("c.yaml", HEAD)]

    with pytest.raises(ContractProblems) as refused:
        read_contracts(files)

    assert {problem.path for problem in refused.value.problems} == {"a.yaml", "b.yaml", "c.yaml"}
    assert str(refused.value).count("\n  ") == len(refused.value.problems)
