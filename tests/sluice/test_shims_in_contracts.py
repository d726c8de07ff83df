"""Shims and the drift policy in contract files: what they become, what is refused, and the fingerprints."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sluice.contract import Column, Contract, DriftPolicy, FileFormat, Shim, Source, fingerprint_of
from sluice.contract_file import read_contract
from sluice.datatypes import Decimal, Integer
from sluice.errors import ContractProblems

HEAD = """\
apiVersion: v3.2.0
kind: DataContract
id: events
version: 1.0.0
"""
SERVER = 'servers: [{type: local, path: "events/{date}/*", format: jsonl}]\n'
PLAIN = Contract(
    "events",
    "1.0.0",
    (Column("id", Integer(), required=True), Column("amount", Decimal(9, 2))),
    source=Source("events/{date}/*", FileFormat.JSONL),
)


def text(fields: str, shim: str, *, settings: str = "{}", rest: str = "") -> str:
    return (
        f"{HEAD}{SERVER}schema:\n  - name: events\n    properties:\n"
        "      - {name: id, logicalType: integer, required: true, primaryKey: true}\n"
        f"      - {{name: c, {fields}, customProperties: [{{property: sluice, value: {shim}}}]}}\n{rest}"
        f"customProperties: [{{property: sluice, value: {settings}}}]\n"
    )


@pytest.mark.parametrize(
    ("fields", "shim", "read"),
    [
        pytest.param("logicalType: string", "{also_called: [old, C]}", Shim(("old", "C")), id="other names"),
        pytest.param("logicalType: string", "{also_called: old}", Shim(("old",)), id="one other name"),
        pytest.param("logicalType: string", '{default: "12"}', Shim(default="12"), id="a text"),
        pytest.param("logicalType: number", "{default: 1.50}", Shim(default="1.50"), id="a number"),
        pytest.param("logicalType: boolean", "{default: true}", Shim(default="true"), id="a boolean"),
        pytest.param("logicalType: date", "{default: 2026-11-01}", Shim(default="2026-11-01"), id="a date"),
        pytest.param("logicalType: boolean, required: true", "{cast: true}", Shim(cast=True), id="a cast"),
    ],
)  # fmt: skip
def test_a_shim_is_read_from_the_property(fields: str, shim: str, read: Shim) -> None:
    assert read_contract(text(fields, shim), path="c").column("c").shim == read


@pytest.mark.parametrize(
    ("fields", "shim", "said"),
    [
        pytest.param("logicalType: string", "{alias: x}", "is not a field here", id="no such setting"),
        pytest.param("logicalType: string", "[]", "must hold settings", id="a list"),
        pytest.param("logicalType: string", "{also_called: [id]}", "belongs to another column", id="another column"),
        pytest.param("logicalType: string", "{also_called: [c]}", "other names", id="its own name"),
        pytest.param("logicalType: string", "{also_called: [3]}", "other names", id="a number as name"),
        pytest.param("logicalType: integer", "{default: x}", "is no integer", id="a text as integer"),
        pytest.param("logicalType: integer", "{default: 1.5}", "(not_exact)", id="a fraction as integer"),
        pytest.param("logicalType: date", "{default: soon}", "(wrong_type)", id="no date"),
        pytest.param(
            "logicalType: string, enum: [{value: a}]", "{default: b}", "(not_allowed)", id="a value against the rules"
        ),
        pytest.param("logicalType: array", "{default: a}", "plain columns", id="a default of a list"),
        pytest.param("logicalType: object", "{cast: true}", "plain columns", id="a cast of an object"),
        pytest.param("logicalType: string", "{cast: 1}", "true or false", id="a cast that is a number"),
        pytest.param(
            "logicalType: object, properties: [{name: m, logicalType: string, "
            "customProperties: [{property: sluice, value: {cast: true}}]}]",
            "{also_called: [o]}",
            "inside objects",
            id="a member's",
        ),
    ],
)
def test_what_a_shim_cannot_do_is_refused(fields: str, shim: str, said: str) -> None:
    with pytest.raises(ContractProblems, match=said.replace("(", r"\(").replace(")", r"\)")):
        read_contract(text(fields, shim), path="c")


def test_a_query_has_no_shims() -> None:
    derived = text("logicalType: string", "{cast: true}").replace(SERVER, "")

    with pytest.raises(ContractProblems, match="Write it in the query"):
        read_contract(derived, path="c", transform_sql="select 1")


@pytest.mark.parametrize("policy", list(DriftPolicy))
def test_the_policy_is_read_from_the_settings(policy: DriftPolicy) -> None:
    read = read_contract(text("logicalType: string", "{cast: true}", settings=f"{{drift: {policy}}}"), path="c")

    assert read.drift is policy


def test_another_policy_is_refused() -> None:
    with pytest.raises(ContractProblems, match="drift"):
        read_contract(text("logicalType: string", "{cast: true}", settings="{drift: panic}"), path="c")


def test_contracts_without_shims_keep_the_fingerprint_they_had_before_there_were_shims() -> None:
    assert fingerprint_of(PLAIN) == "05967481b2de"
    assert fingerprint_of(replace(PLAIN, drift=DriftPolicy.EVOLVE)) == fingerprint_of(PLAIN)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(replace(PLAIN, drift=DriftPolicy.QUARANTINE), id="quarantine"),
        pytest.param(
            replace(PLAIN, columns=(PLAIN.columns[0], replace(PLAIN.columns[1], shim=Shim(cast=True)))), id="a cast"
        ),
        pytest.param(
            replace(PLAIN, columns=(PLAIN.columns[0], replace(PLAIN.columns[1], shim=Shim(default="0")))),
            id="a default",
        ),
    ],
)
def test_what_changes_rows_changes_the_fingerprint(changed: Contract) -> None:
    assert fingerprint_of(changed) != fingerprint_of(PLAIN)
