"""What a contract says of gates, and what of that is refused at its line (marked `# <-`)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sluice.contract_file import ContractFile, read_contract, read_contracts
from sluice.contract_file.gate_settings import SETTINGS
from sluice.contract_file.gates import ALWAYS_BLOCK, OF_LANDED_FILES
from sluice.errors import ContractInvalid, ContractProblems
from sluice.gate_rules import Completeness, Expected, GateRules, Metric, Reference
from sluice.gates import GATES
from sluice.gates.verdict import Severity

HEAD = """\
apiVersion: v3.2.0
kind: DataContract
id: orders
version: 1.0.0
"""
SERVER = """\
servers:
  - {type: local, path: "orders/date={date}/*", format: jsonl}
"""
SCHEMA = """\
schema:
  - name: orders
    properties:
      - {name: id, logicalType: integer, required: true}
      - {name: amount, logicalType: number}
      - {name: note, logicalType: string}
      - {name: at, logicalType: timestamp}
customProperties:
  - {property: other, value: {gates: x}}
  - property: sluice
    value:
      gates:
"""
ROW_COUNT = Metric("row_count")


def contract(gates: str, head: str = HEAD + SERVER) -> str:
    return head + SCHEMA + "".join(f"        {line}\n" for line in gates.splitlines())


def rules_of(gates: str) -> GateRules:
    return read_contract(contract(gates), path="orders/contract.yaml").gates


def problems_of(text: str, transform_sql: str | None = None) -> tuple[ContractInvalid, ...]:
    with pytest.raises(ContractProblems) as refused:
        read_contract(text, path="orders/contract.yaml", transform_sql=transform_sql)
    return refused.value.problems


def marked_line(text: str) -> int:
    return text[: text.index("# <-")].count("\n") + 1


def test_a_contract_without_gates_has_the_defaults() -> None:
    assert read_contract(contract("{}"), path="orders/contract.yaml").gates == GateRules()


@pytest.mark.parametrize(
    ("gates", "rules"),
    [
        pytest.param("rejected_share_is_acceptable: {limit: 0.02}", GateRules(max_rejected_share=0.02), id="share"),
        pytest.param("rejected_share_is_acceptable: {limit: 2 %}", GateRules(max_rejected_share=0.02), id="percent"),
        pytest.param("rejected_share_is_acceptable: {limit: 2.5%}", GateRules(max_rejected_share=0.025), id="2.5%"),
        pytest.param("rejected_share_is_acceptable: {limit: 0}", GateRules(max_rejected_share=0.0), id="none at all"),
        pytest.param("raw_objects_are_readable: {limit: 1}", GateRules(max_unreadable_share=1.0), id="unreadable"),
        pytest.param(
            "files_are_well_sized: {severity: off}\nexpectations_hold: {severity: warn}",
            GateRules(severities=(("expectations_hold", Severity.WARN), ("files_are_well_sized", Severity.OFF))),
            id="severities, by name",
        ),
        pytest.param(
            "key_is_unique: {severity: block}",
            GateRules(severities=(("key_is_unique", Severity.BLOCK),)),
            id="said to block, as it does anyway",
        ),
        pytest.param("key_is_unique: {}", GateRules(), id="nothing said"),
        pytest.param(
            "nulls_are_within_limits: {columns: {note: 0.9, amount: 5 %}}",
            GateRules(max_null_shares=(("amount", 0.05), ("note", 0.9))),
            id="nulls",
        ),
        pytest.param(
            'raw_is_complete: {marker: "orders/date={date}/_SUCCESS", minimum_objects: 24}',
            GateRules(completeness=Completeness("orders/date={date}/_SUCCESS", None, 24)),
            id="marker and number",
        ),
        pytest.param(
            'raw_is_complete: {control: "orders/control/_{date:YYYYMMdd}.json"}',
            GateRules(completeness=Completeness(control="orders/control/_{date:YYYYMMdd}.json")),
            id="control file with the date in its name",
        ),
        pytest.param(
            "row_count_is_expected: {within: 20 %, minimum_history: 8}",
            GateRules(row_count=Expected(ROW_COUNT, within=0.2, minimum_history=8)),
            id="within",
        ),
        pytest.param(
            "row_count_is_expected: {minimum: 100, maximum: 100}",
            GateRules(row_count=Expected(ROW_COUNT, minimum=100.0, maximum=100.0)),
            id="fixed",
        ),
        pytest.param(
            "row_count_is_expected: {sensitivity: 6, minimum_history: 28, severity: warn}",
            GateRules(
                row_count=Expected(ROW_COUNT, sensitivity=6.0, minimum_history=28),
                severities=(("row_count_is_expected", Severity.WARN),),
            ),
            id="learned",
        ),
        pytest.param(
            "metrics_are_expected:\n"
            "  metrics:\n"
            "    - {metric: mean, column: amount, sensitivity: 4.5}\n"
            "    - {metric: null_share, column: note, maximum: 0.3}\n"
            "    - {metric: maximum, column: at}\n"
            "    - {metric: seconds, minimum: -1.5}",
            GateRules(
                metrics=(
                    Expected(Metric("mean", "amount"), sensitivity=4.5),
                    Expected(Metric("null_share", "note"), maximum=0.3),
                    Expected(Metric("maximum", "at")),
                    Expected(Metric("seconds"), minimum=-1.5),
                )
            ),
            id="metrics",
        ),
        pytest.param(
            "reference_data_is_current: {references: [{dataset: customers, max_age_days: 0}]}",
            GateRules(references=(Reference("customers", 0),)),
            id="references",
        ),
    ],
)
def test_gates_become_rules(gates: str, rules: GateRules) -> None:
    assert rules_of(gates) == rules


def test_every_gate_may_be_named_in_a_contract() -> None:
    assert {gate.name for gate in GATES} == SETTINGS.keys()


def test_what_nobody_can_accept_no_contract_can_switch_off() -> None:
    assert {gate.name for gate in GATES if not gate.acceptable} <= ALWAYS_BLOCK


METRICS = "metrics_are_expected:\n  metrics:\n"
COMPLETE = "raw_is_complete:\n  "
REFERENCES = "reference_data_is_current:\n  references:\n"


@pytest.mark.parametrize(
    ("gates", "problem", "cure"),
    [
        pytest.param("key_is_uniqe: {} # <-", "is no gate", 'Did you mean "key_is_unique"?', id="unknown gate"),
        pytest.param("key_is_unique: # <-", "must hold settings", "Known: severity.", id="empty gate"),
        pytest.param("key_is_unique: block # <-", "must hold settings", "Known: severity.", id="a word"),
        pytest.param("files_are_well_sized:\n  limit: 1 # <-", "not a field", "Known: severity", id="unknown setting"),
        pytest.param(
            "rejected_share_is_acceptable:\n  limits: 1 # <-", "not a field", 'Did you mean "limit"?', id="misspelt"
        ),
        pytest.param(
            "files_are_well_sized:\n  severity: none # <-", 'is "none"', "block, warn, off", id="unknown severity"
        ),
        pytest.param("files_are_well_sized:\n  severity: # <-", "not one plain", "block, warn, off", id="no severity"),
        pytest.param("key_is_unique:\n  severity: warn # <-", "always blocks", "Leave it out", id="warn of own fault"),
        pytest.param(
            "records_are_conserved:\n  severity: off # <-", "always blocks", "Leave it out", id="off of own fault"
        ),
        pytest.param("raw_objects_exist:\n  severity: off # <-", "always blocks", "Leave it out", id="no objects"),
        pytest.param("rejected_share_is_acceptable:\n  limit: 2 # <-", 'is "2"', '"2 %"', id="share above 1"),
        pytest.param("rejected_share_is_acceptable:\n  limit: -0.1 # <-", 'is "-0.1"', '"2 %"', id="share below 0"),
        pytest.param("rejected_share_is_acceptable:\n  limit: 101 % # <-", 'is "101 %"', '"2 %"', id="101 %"),
        pytest.param("rejected_share_is_acceptable:\n  limit: few # <-", 'is "few"', '"2 %"', id="no share"),
        pytest.param("rejected_share_is_acceptable:\n  limit: true # <-", 'is "True"', '"2 %"', id="true"),
        pytest.param("rejected_share_is_acceptable:\n  limit: # <-", "not one plain", '"2 %"', id="no limit"),
        pytest.param("nulls_are_within_limits:\n  columns: [a] # <-", "by column", "note", id="a list of columns"),
        pytest.param("nulls_are_within_limits:\n  columns: # <-", "by column", "note", id="no columns"),
        pytest.param(
            "nulls_are_within_limits:\n  columns:\n    nots: 0.1 # <-",
            "not a column",
            'Did you mean "note"?',
            id="nulls of an unknown column",
        ),
        pytest.param(
            "nulls_are_within_limits:\n  columns:\n    id: 0.1 # <-", "required", "Leave it out", id="required column"
        ),
        pytest.param(
            "nulls_are_within_limits:\n  columns:\n    note: 1.1 # <-", 'is "1.1"', '"2 %"', id="null share above 1"
        ),
        pytest.param(f"{METRICS}    - metric: avg # <-", "no metric", "mean", id="unknown metric"),
        pytest.param(f"{METRICS}    - {{column: id}} # <-", "is missing", "metric: mean", id="no metric"),
        pytest.param(f"{METRICS}    - mean # <-", "must hold settings", "metric", id="a word as metric"),
        pytest.param(f"{METRICS}    - metric: mean # <-", "is missing", "whose mean", id="no column"),
        pytest.param(
            f"{METRICS}    - metric: seconds\n      column: id # <-", "whole partition", "Leave it out", id="needless"
        ),
        pytest.param(
            f"{METRICS}    - metric: mean\n      column: amont # <-",
            '"amont" is not a column',
            'Did you mean "amount"?',
            id="unknown column",
        ),
        pytest.param(
            f"{METRICS}    - metric: mean\n      column: at # <-",
            "timestamp values, which have no mean",
            "null_share, distinct_count, minimum, maximum",
            id="unfitting column",
        ),
        pytest.param(
            f"{METRICS}    - {{metric: mean, column: id}}\n    - {{metric: mean, column: id}} # <-",
            "mean(id) a second time",
            "one entry",
            id="repeated metric",
        ),
        pytest.param(f"{METRICS}    - metric: row_count # <-", "gate of its own", "row_count_is", id="row count twice"),
        pytest.param(
            f"{METRICS}    - metric: mean\n      column: id\n      sensitivity: 0 # <-", 'is "0"', "above 0", id="zero"
        ),
        pytest.param("metrics_are_expected: {severity: warn} # <-", "names no metric", "mean", id="no metrics"),
        pytest.param("metrics_are_expected:\n  metrics: [] # <-", "names no metric", "mean", id="empty metrics"),
        pytest.param(
            "row_count_is_expected:\n  minimum: 5 # <-\n  maximum: 4", "is 5, above the maximum 4", "", id="crossed"
        ),
        pytest.param(
            "row_count_is_expected:\n  minimum: 5\n  within: 0.2 # <-",
            "beside minimum",
            "Leave out within, or minimum",
            id="within and minimum",
        ),
        pytest.param(
            "row_count_is_expected:\n  sensitivity: 5 # <-\n  within: 0.2",
            "beside within",
            "Leave out sensitivity",
            id="sensitivity and within",
        ),
        pytest.param(
            "row_count_is_expected:\n  minimum_history: 9 # <-\n  maximum: 2", "beside maximum", "Leave", id="history"
        ),
        pytest.param("row_count_is_expected:\n  within: 0 # <-", 'is "0"', "above 0", id="within nothing"),
        pytest.param("row_count_is_expected:\n  within: 150 % # <-", 'is "150 %"', "up to 1", id="within too much"),
        pytest.param("row_count_is_expected:\n  minimum: 1e999 # <-", 'is "1E+999"', "a number", id="not finite"),
        pytest.param("row_count_is_expected:\n  minimum: ten # <-", 'is "ten"', "a number", id="no number"),
        pytest.param("row_count_is_expected:\n  minimum_history: 7 # <-", 'is "7"', "from 8", id="short history"),
        pytest.param(
            "row_count_is_expected:\n  minimum_history: 9.5 # <-", 'is "9.5"', "from 8", id="half a partition"
        ),
        pytest.param("raw_is_complete: {severity: warn} # <-", "asks for nothing", "marker", id="nothing asked"),
        pytest.param(f"{COMPLETE}minimum_objects: 0 # <-", 'is "0"', "from 1", id="no objects needed"),
        pytest.param(f"{COMPLETE}marker: orders/_SUCCESS # <-", "has no date", "{date}", id="marker without date"),
        pytest.param(f"{COMPLETE}marker: 1 # <-", 'is "1"', "marker's key", id="marker is a number"),
        pytest.param(
            f"{COMPLETE}marker: 'orders/{{date}}/*/_DONE' # <-",
            "has a wildcard",
            "whole key",
            id="marker with wildcard",
        ),
        pytest.param(
            f"{COMPLETE}marker: 'orders/{{date:YYYY}}/_DONE' # <-", "date format", "YYYY, MM and dd", id="half a date"
        ),
        pytest.param(
            f"{COMPLETE}control: 'markers/{{date}}/_control.json' # <-",
            "not where the dataset's files are",
            'Begin with "orders/"',
            id="elsewhere",
        ),
        pytest.param(
            f"{COMPLETE}control: 'orders/date={{date}}/control.json' # <-",
            "could be read as data",
            'begins with "_" or "."',
            id="control file among data",
        ),
        pytest.param(
            f"{REFERENCES}    - {{dataset: orders, max_age_days: 1}} # <-", "the dataset itself", "another", id="itself"
        ),
        pytest.param(
            f"{REFERENCES}    - dataset: customers\n      max_age_days: -1 # <-", 'is "-1"', "days older", id="negative"
        ),
        pytest.param(f"{REFERENCES}    - dataset: customers # <-", "is missing", "days older", id="no age"),
        pytest.param(
            f"{REFERENCES}    - {{dataset: a, max_age_days: 1}}\n    - {{dataset: a, max_age_days: 2}} # <-",
            "names a a second time",
            "Remove one",
            id="repeated reference",
        ),
        pytest.param("reference_data_is_current: {} # <-", "names no reference data", "customers", id="no references"),
    ],
)
def test_a_wrong_rule_is_refused_at_its_line_with_a_cure(gates: str, problem: str, cure: str) -> None:
    text = contract(gates)

    (found,) = problems_of(text)

    assert found.line == marked_line(text)
    assert problem in found.problem
    assert cure in found.cure


def test_gates_are_named_not_listed() -> None:
    (found,) = problems_of(contract("- key_is_unique"))

    assert found.problem == "must hold gates by name."


@pytest.mark.parametrize("gate", sorted(OF_LANDED_FILES))
def test_gates_on_landed_files_are_not_for_derived_datasets(gate: str) -> None:
    (found,) = problems_of(contract(f"{gate}: {{}} # <-", HEAD), transform_sql="SELECT 1 FROM customers")

    assert "is about landed files" in found.problem


def test_a_column_that_was_refused_is_not_called_unknown_as_well() -> None:
    gates = "nulls_are_within_limits: {columns: {note: 0.1}}\n" + f"{METRICS}    - {{metric: mean, column: note}}"
    wrong = contract(gates).replace("{name: note, logicalType: string}", "{name: note, logicalType: text}")

    (found,) = problems_of(wrong)

    assert "logicalType" in found.field


def test_all_wrong_rules_of_a_contract_are_told_at_once() -> None:
    gates = "nope: {}\nrejected_share_is_acceptable: {limit: 2}\nrow_count_is_expected: {minimum: 2, maximum: 1}"

    assert len(problems_of(contract(gates))) == 3


def customers(dataset: str = "customers") -> ContractFile:
    text = contract("{}").replace("id: orders", f"id: {dataset}").replace("name: orders", f"name: {dataset}")
    return ContractFile(f"{dataset}/contract.yaml", text)


def orders_with(reference: str) -> ContractFile:
    gates = f"{REFERENCES}    - {{dataset: {reference}, max_age_days: 1}} # <-"
    return ContractFile("orders/contract.yaml", contract(gates))


def test_reference_data_that_is_declared_is_taken_in_any_order_of_files() -> None:
    assert list(read_contracts([orders_with("customers"), customers()])) == ["orders", "customers"]


def test_reference_data_that_no_contract_declares_is_refused_at_its_line() -> None:
    file = orders_with("custmers")

    with pytest.raises(ContractProblems) as refused:
        read_contracts([file, customers()])

    (found,) = refused.value.problems
    assert found.line == marked_line(file.text)
    assert found.problem == '"custmers" is no dataset.'
    assert found.cure == 'Did you mean "customers"?'


def test_reference_data_whose_own_contract_is_wrong_is_not_called_undeclared() -> None:
    broken = ContractFile("customers/contract.yaml", customers().text.replace("v3.2.0", "v2"))

    with pytest.raises(ContractProblems) as refused:
        read_contracts([orders_with("customers"), broken])

    assert [problem.path for problem in refused.value.problems] == ["customers/contract.yaml"]


def test_the_example_of_the_gates_page_is_right_and_the_page_has_every_gate() -> None:
    page = (Path(__file__).parents[2] / "docs" / "gates.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    head, _, _ = contract("").partition("customProperties:")

    rules = read_contract(head + example, path="orders/contract.yaml").gates

    assert rules.references == (Reference("customers", 1),)
    assert rules.metrics[0] == Expected(Metric("mean", "amount"), sensitivity=4.0)
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == SETTINGS.keys()
