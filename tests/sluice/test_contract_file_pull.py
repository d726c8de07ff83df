"""What a server of type `api` and `pull` say, and what is refused at its line (marked `# <-`)."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta

import pytest

from sluice.contract import Contract, FileFormat, fingerprint_of
from sluice.contract_file import read_contract
from sluice.errors import ContractInvalid, ContractProblems
from sluice.pulling.pull import LinkHeader, Next, NextField, Offset, PageNumber, Pull

CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: orders
version: 1.0.0
servers:
  - type: api
    location: "https://shop.example:8443/v1/orders?from={date}&to={next_date:YYYYMMdd}"
    format: json
schema:
  - name: orders
    properties:
      - {name: id, logicalType: integer}
customProperties:
  - property: sluice
    value:
      pull:
        at: "06:30"
"""
LOCATION = "https://shop.example:8443/v1/orders?from={date}&to={next_date:YYYYMMdd}"


def read(*lines: str, text: str = CONTRACT) -> Contract:
    return read_contract(text + "".join(f"        {line}\n" for line in lines), path="contract.yaml")


def pull_of(*lines: str) -> Pull:
    source = read(*lines).source
    assert source is not None
    assert source.pull is not None
    return source.pull


def problems_of(text: str) -> list[ContractInvalid]:
    with pytest.raises(ContractProblems) as refused:
        read_contract(text, path="contract.yaml")
    return list(refused.value.problems)


def test_the_usual_is_one_page_three_times() -> None:
    contract = read()

    assert contract.source is not None
    assert contract.source.pattern == "orders/date={date}/page-*.json.gz"
    assert contract.source.format is FileFormat.JSON
    assert contract.source.host == "shop.example:8443"
    assert contract.source.pull == Pull(LOCATION, at=time(6, 30))


def test_dates_are_written_as_the_source_expects_them() -> None:
    assert pull_of().first_url("2026-12-31") == "https://shop.example:8443/v1/orders?from=2026-12-31&to=20270101"


def test_everything_can_be_said() -> None:
    pull = pull_of(
        "every: 15 min",
        "days: 5",
        "records: data.items",
        "timeout: 10 s",
        'headers: {Authorization: "env:SLUICE_SECRET_SHOP", Accept: application/json}',
    )

    assert pull == Pull(
        LOCATION,
        records="data.items",
        at=time(6, 30),
        every=timedelta(minutes=15),
        days=5,
        headers=(("Authorization", "env:SLUICE_SECRET_SHOP"), ("Accept", "application/json")),
        timeout=timedelta(seconds=10),
    )


@pytest.mark.parametrize(
    ("written", "following"),
    [
        ("link_header", LinkHeader()),
        ("{field: links.next}", NextField("links.next")),
        ("{field: cursor, parameter: after}", NextField("cursor", "after")),
        ("{page: p}", PageNumber("p")),
        ("{page: p, start: 0}", PageNumber("p", 0)),
        ("{offset: skip}", Offset("skip")),
    ],
)
def test_the_next_page_is_found_in_five_ways(written: str, following: Next) -> None:
    assert pull_of(f"next: {written}").next == following


@pytest.mark.parametrize(
    ("lines", "field", "problem"),
    [
        pytest.param(["days: 0"], "days", 'is "0"', id="no days"),
        pytest.param(["every: 10 s"], "every", 'is "10 s"', id="too often"),
        pytest.param(["every: soon"], "every", "no length of time", id="no interval"),
        pytest.param(["timeout: 1 h"], "timeout", 'is "1 h"', id="long timeout"),
        pytest.param(["records: a..b"], "records", 'is "a..b"', id="no path"),
        pytest.param(["next: header"], "next", "no way to the next page", id="no way"),
        pytest.param(["next: {page: p, start: -1}"], "next", "no way to the next page", id="negative page"),
        pytest.param(["nxt: link_header"], "nxt", "is not a field here", id="misspelt"),
        pytest.param(["headers: [a]"], "headers", "must hold headers", id="no headers"),
        pytest.param(['headers: {"a b": x}'], "headers.a b", "no name of a header", id="no name"),
        pytest.param(["headers: {Accept: 7}"], "headers.Accept", "no plain text", id="a number"),
        pytest.param(['headers: {X-Api-Key: "abc123"}'], "headers.X-Api-Key", "looks like a secret", id="secret"),
        pytest.param(
            ['headers: {Accept: "env:HOME"}'], "headers.Accept", "no variable for secrets", id="other variable"
        ),
    ],
)
def test_what_cannot_be_asked_is_refused_at_its_line(lines: list[str], field: str, problem: str) -> None:
    text = CONTRACT + "".join(f"        {line}\n" for line in lines)

    (found,) = problems_of(text)

    assert found.field == f"customProperties[0].value.pull.{field}"
    assert found.line == text.count("\n")
    assert problem in str(found)
    assert "abc123" not in str(found)


@pytest.mark.parametrize(
    ("location", "problem"),
    [
        pytest.param("orders/{date}/*.json", "no URL of an HTTP source", id="a path"),
        pytest.param("ftp://shop.example/{date}", "no URL of an HTTP source", id="ftp"),
        pytest.param("https://shop.example/{day}", "no URL of an HTTP source", id="unknown braces"),
        pytest.param("https://shop.example/orders", "has no {date}", id="no date"),
        pytest.param("https://shop.example/{next_date}", "has no {date}", id="the next date alone"),
        pytest.param("https://shop.example/{date:YY/MM/dd}", "date format", id="short year"),
        pytest.param("https://{date}.example/orders", "date in its host", id="date in the host"),
        pytest.param("http://shop.example/{date}", "not encrypted", id="plain"),
        pytest.param("https://me:pw@shop.example/{date}", "has a password", id="password"),
        pytest.param("https://shop.example/{date}?api_key=abc", 'the parameter "api_key"', id="key"),
    ],
)
def test_a_location_that_cannot_be_asked_is_refused(location: str, problem: str) -> None:
    (found,) = problems_of(CONTRACT.replace(LOCATION, location))

    assert (found.field, found.line) == ("servers[0].location", 7)
    assert problem in str(found)


@pytest.mark.parametrize(
    ("old", "new", "field", "problem"),
    [
        pytest.param(f'    location: "{LOCATION}"\n', "", "servers[0].location", "is missing", id="no location"),
        pytest.param("format: json", "format: parquet", "servers[0].format", "type api cannot have", id="parquet"),
        pytest.param("format: json", "format: jsn", "servers[0].format", 'Did you mean "json"?', id="misspelt"),
        pytest.param('    location: "', '    path: x\n    location: "', "servers[0].path", "type api", id="path"),
        pytest.param(
            '      pull:\n        at: "06:30"\n', "      start: 2026-11-01\n", "pull", "is missing", id="no pull"
        ),
        pytest.param('at: "06:30"', "days: 2", "pull", "does not say when", id="no time"),
        pytest.param('at: "06:30"', "at: 6:30", "pull.at", "no time of day", id="no text"),
        pytest.param("type: api", "type: ap", "servers[0].type", "api for an HTTP source", id="type"),
    ],
)
def test_other_ways_to_be_wrong(old: str, new: str, field: str, problem: str) -> None:
    found = problems_of(CONTRACT.replace(old, new))

    assert any(item.field.endswith(field) and problem in str(item) for item in found)


@pytest.mark.parametrize(
    ("file_format", "lines", "problem"),
    [
        pytest.param("jsonl", ["records: items"], "which only format json has", id="records of lines"),
        pytest.param("jsonl", ["next: {field: next}"], "which only format json has", id="field of lines"),
        pytest.param("csv", ["next: {page: p}"], "not done for csv", id="pages of csv"),
    ],
)
def test_a_format_has_its_own_ways(file_format: str, lines: list[str], problem: str) -> None:
    text = CONTRACT.replace("format: json", f"format: {file_format}") + "".join(f"        {line}\n" for line in lines)

    (found,) = problems_of(text)

    assert problem in str(found)


def test_files_that_land_by_themselves_are_not_pulled() -> None:
    local = CONTRACT.replace("type: api", "type: local").replace(f'location: "{LOCATION}"', 'path: "orders/{date}/*"')

    (found,) = problems_of(local.replace("format: json", "format: jsonl"))

    assert found.field == "customProperties[0].value.pull"


@pytest.mark.parametrize(
    ("changes", "is_the_same"),
    [
        pytest.param({"at": time(7), "days": 9, "headers": (("A", "b"),)}, True, id="when and how"),
        pytest.param({"location": "https://other.example/{date}"}, True, id="where"),
        pytest.param({"records": "data"}, False, id="which records"),
    ],
)
def test_only_what_decides_the_rows_changes_the_fingerprint(changes: dict[str, object], is_the_same: bool) -> None:  # noqa: FBT001
    contract = read("records: items")
    assert contract.source is not None
    assert contract.source.pull is not None
    changed = replace(contract.source.pull, **changes)  # type: ignore[arg-type]  # keywords of Pull

    other = replace(contract, source=replace(contract.source, pull=changed))

    assert (fingerprint_of(other) == contract.fingerprint) is is_the_same
