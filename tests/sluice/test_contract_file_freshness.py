"""What service levels promise, and those that are refused at their line (marked `# <-`)."""

from __future__ import annotations

import re
from datetime import date, time
from pathlib import Path

import pytest

from sluice.contract_file import read_contract
from sluice.errors import ContractInvalid, ContractProblems
from sluice.freshness import Freshness

CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: orders
version: 1.0.0
servers:
  - {type: local, path: "orders/{date}/*", format: jsonl}
schema:
  - name: orders
    properties:
      - {name: id, logicalType: integer}
"""
SEVEN = '  - {property: timeOfAvailability, value: "07:00"}\n'
SETTINGS = """\
customProperties:
  - property: sluice
    value:
      freshness:
"""
WORKDAYS = (0, 1, 2, 3, 4)


def with_sla(text: str) -> str:
    return f"{CONTRACT}slaProperties:\n{text}"


def with_settings(text: str) -> str:
    return f"{CONTRACT}slaProperties:\n{SEVEN}{SETTINGS}        {text}\n"


def promise_of(text: str) -> Freshness | None:
    return read_contract(text, path="contract.yaml").freshness


def problem_of(text: str) -> ContractInvalid:
    with pytest.raises(ContractProblems) as refused:
        read_contract(text, path="contract.yaml")
    (problem,) = refused.value.problems
    return problem


def marked_line(text: str) -> int:
    return text[: text.index("# <-")].count("\n") + 1


@pytest.mark.parametrize(
    ("sla", "promise"),
    [
        pytest.param(SEVEN, Freshness(1, time(7)), id="time alone is of the next day, UTC"),
        pytest.param(
            "  - {property: timeOfAvailability, value: 07:00, valueExt: Asia/Kolkata}",
            Freshness(1, time(7), "Asia/Kolkata"),
            id="zone",
        ),
        pytest.param(
            "  - {property: timeOfAvailability, value: 07:00+05:30}",
            Freshness(1, time(7), "+05:30"),
            id="offset",
        ),
        pytest.param("  - {property: timeOfAvailability, value: 07:00Z}", Freshness(1, time(7)), id="Z"),
        pytest.param(
            '  - {property: timeOfAvailability, value: "23:59:30"}', Freshness(1, time(23, 59, 30)), id="seconds"
        ),
        pytest.param(f"{SEVEN}  - {{property: latency, value: 3, unit: d}}", Freshness(3, time(7)), id="latency"),
        pytest.param(f"{SEVEN}  - {{property: latency, value: 0, unit: days}}", Freshness(0, time(7)), id="same day"),
        pytest.param(f"{SEVEN}  - {{property: latency, value: 2.0, unit: day}}", Freshness(2, time(7)), id="2.0 days"),
        pytest.param(
            "  - {property: latency, value: 6, unit: h}", Freshness(1, time(6)), id="hours from the day's end"
        ),
        pytest.param("  - {property: latency, value: 49.5, unit: h}", Freshness(3, time(1, 30)), id="many hours"),
        pytest.param("  - {property: latency, value: 0, unit: hours}", Freshness(1, time(0)), id="no hours"),
        pytest.param(f"{SEVEN}  - {{property: frequency, value: 1, unit: d}}", Freshness(1, time(7)), id="daily"),
        pytest.param(
            f"  - {{property: retention, value: 3, unit: y}}\n"
            f"  - {{property: generalAvailability, value: 2026-11-01T00:00:00Z}}\n"
            f"  - {{property: availability, value: 99.9, unit: percent}}\n{SEVEN}",
            Freshness(1, time(7)),
            id="others describe",
        ),
        pytest.param("  - {property: retention, value: 3, unit: y}", None, id="nothing promised"),
        pytest.param("  - {property: frequency, value: 1, unit: d}", None, id="daily promises no time"),
    ],
)
def test_service_levels_become_a_promise(sla: str, promise: Freshness | None) -> None:
    assert promise_of(with_sla(sla)) == promise


def test_a_contract_without_service_levels_promises_nothing() -> None:
    assert promise_of(CONTRACT) is None


@pytest.mark.parametrize(
    ("settings", "promise"),
    [
        pytest.param("{objective: 0.99}", Freshness(1, time(7), objective=0.99), id="share"),
        pytest.param("{objective: 99.5 %}", Freshness(1, time(7), objective=0.995), id="percent"),
        pytest.param("{objective: 99%}", Freshness(1, time(7), objective=0.99), id="percent without a blank"),
        pytest.param("{objective: 1}", Freshness(1, time(7), objective=1.0), id="all"),
        pytest.param("{weekdays: [fri, mon, tue, wed, thu]}", Freshness(1, time(7), weekdays=WORKDAYS), id="workdays"),
        pytest.param("{since: 2026-11-01}", Freshness(1, time(7), since=date(2026, 11, 1)), id="since"),
        pytest.param("{}", Freshness(1, time(7)), id="nothing set"),
    ],
)
def test_settings_say_how_often_which_days_and_since_when(settings: str, promise: Freshness) -> None:
    assert promise_of(with_settings(settings)) == promise


def entry(fields: str) -> str:
    """An entry with the mark on the line of its last field."""
    *lines, last = fields.split(", ")
    return "  - " + "\n    ".join([*lines, f"{last} # <-"])


@pytest.mark.parametrize(
    ("sla", "problem", "cure"),
    [
        pytest.param(
            entry("property: timeOfAvailability, value: 25:00"), "no time of day", '"07:00+05:30"', id="hour 25"
        ),
        pytest.param(entry("property: timeOfAvailability, value: 7"), '"7"', '"07:00"', id="a bare hour"),
        pytest.param(entry("property: timeOfAvailability, value: 24:00"), "no time of day", '"07:00"', id="24:00"),
        pytest.param(
            entry("property: timeOfAvailability, value: 07:00+15:00"), "no time of day", "zone", id="no such offset"
        ),
        pytest.param("  - property: timeOfAvailability # <-", "no time of day", 'Write it as "07:00"', id="no value"),
        pytest.param(
            entry("property: timeOfAvailability, value: 07:00, valueExt: Asia/Calcuta"),
            '"Asia/Calcuta", which is no time zone',
            'Did you mean "Asia/Calcutta"?',
            id="unknown zone",
        ),
        pytest.param(
            entry("property: timeOfAvailability, value: 07:00, valueExt: 5"), "no time zone", "IANA", id="no zone"
        ),
        pytest.param(
            entry("property: timeOfAvailability, value: 07:00, valueExt: localtime"),
            "no time zone",
            "IANA",
            id="this machine's zone",
        ),
        pytest.param(
            entry("property: timeOfAvailability, value: 07:00Z, valueExt: Asia/Kolkata"),
            "has its offset already",
            "Keep one",
            id="zone twice",
        ),
        pytest.param(
            f"{SEVEN}{entry('property: timeOfAvailability')}",
            "timeOfAvailability twice",
            "Keep the one",
            id="time twice",
        ),
        pytest.param(
            f"{entry('property: latency, unit: d, value: -1')}\n{SEVEN}", '"-1"', "from 0 to 366", id="negative days"
        ),
        pytest.param(
            f"{entry('property: latency, unit: d, value: 367')}\n{SEVEN}", '"367"', "from 0 to 366", id="a year later"
        ),
        pytest.param(
            f"{entry('property: latency, unit: d, value: 1.5')}\n{SEVEN}",
            "not a whole number of days",
            "timeOfAvailability",
            id="half a day",
        ),
        pytest.param(
            f"{entry('property: latency, unit: d, value: one')}\n{SEVEN}", '"one"', "a number", id="no number"
        ),
        pytest.param(
            f"{entry('property: latency, unit: d, value: 1, valueExt: 2')}\n{SEVEN}",
            "a range",
            "Leave it out",
            id="range",
        ),
        pytest.param(
            f"{entry('property: latency, value: 5, unit: h')}\n{SEVEN}", 'is "h"', "unit: d", id="hours and a time"
        ),
        pytest.param(entry("property: latency, value: 1, unit: y"), 'is "y"', "unit: h", id="years"),
        pytest.param("  - property: latency # <-\n    value: 1", "is missing", "unit: h", id="no unit"),
        pytest.param(
            "  - property: latency # <-\n    value: 1\n    unit: d",
            "names a day, but no time on it",
            "Add timeOfAvailability",
            id="days alone",
        ),
        pytest.param(
            f"  - {{property: latency, value: 0, unit: d}}\n"
            f"{entry('property: timeOfAvailability, valueExt: Asia/Kolkata, value: 05:00')}",
            "D+0 05:00 Asia/Kolkata is before D has begun",
            "at least 1 d",
            id="before the day",
        ),
        pytest.param("  - property: frequency # <-\n    value: 1\n    unit: h", "is not daily", "unit: d", id="hourly"),
        pytest.param(
            entry("property: timeOfAvailabilty"), "would promise nothing", '"timeOfAvailability"', id="misspelt time"
        ),
        pytest.param(entry("property: Latency"), "would promise nothing", '"latency"', id="wrong case"),
    ],
)
def test_a_service_level_that_cannot_be_kept_is_refused(sla: str, problem: str, cure: str) -> None:
    text = with_sla(sla)
    refused = problem_of(text)

    assert refused.field.startswith("slaProperties[")
    assert problem in refused.problem
    assert cure in refused.cure
    assert refused.line == marked_line(text)


@pytest.mark.parametrize(
    ("settings", "field", "problem", "cure"),
    [
        pytest.param("objective: 99", "objective", '"99"', '"99 %"', id="a percentage without its sign"),
        pytest.param("objective: 0", "objective", '"0"', "above 0", id="none"),
        pytest.param("objective: 101 %", "objective", "101 %", "up to 1", id="more than all"),
        pytest.param("objective: true", "objective", "True", "0.99", id="a boolean"),
        pytest.param("objective: often", "objective", "often", "0.99", id="a word"),
        pytest.param("weekdays: mon", "weekdays", "must be a list", "mon, tue", id="no list"),
        pytest.param("weekdays: []", "weekdays", "must be a list", "mon, tue", id="no weekday"),
        pytest.param("weekdays: [monday]", "weekdays[0]", "no weekday", 'Did you mean "mon"?', id="unknown weekday"),
        pytest.param("weekdays: [1]", "weekdays[0]", "no weekday", "Known: fri", id="a number"),
        pytest.param("weekdays: [mon, mon]", "weekdays[1]", "twice", "Remove one", id="weekday twice"),
        pytest.param("since: 20261101", "since", "no date", "2026-11-01", id="a number as date"),
        pytest.param("since: 2026-02-30", "since", "no date", "2026-11-01", id="no such date"),
        pytest.param("objectiv: 0.9", "objectiv", "not a field", 'Did you mean "objective"?', id="unknown setting"),
    ],
)
def test_a_setting_that_means_nothing_is_refused(settings: str, field: str, problem: str, cure: str) -> None:
    text = with_settings(f"{settings} # <-")
    refused = problem_of(text)

    assert refused.field == f"customProperties[0].value.freshness.{field}"
    assert problem in refused.problem
    assert cure in refused.cure
    assert refused.line == marked_line(text)


def test_settings_must_be_settings() -> None:
    assert problem_of(with_settings("0.99")).cure == "Known: objective, since, weekdays."


def test_settings_without_a_promise_are_refused() -> None:
    refused = problem_of(f"{CONTRACT}{SETTINGS}        objective: 0.99\n")

    assert refused.field == "customProperties[0].value.freshness"
    assert "promise that the contract does not make" in refused.problem
    assert "timeOfAvailability" in refused.cure


def test_a_refused_promise_is_not_called_missing_on_top() -> None:
    text = with_settings("objective: 0.99").replace("07:00", "7 am")

    assert problem_of(text).field == "slaProperties[0].value"


def test_everything_that_is_wrong_is_told_at_once() -> None:
    text = with_settings("{objective: 2, weekdays: [], since: soon}").replace("07:00", "7 am")
    with pytest.raises(ContractProblems) as refused:
        read_contract(text, path="contract.yaml")

    assert [problem.field.rpartition(".")[2] for problem in refused.value.problems] == [
        "value",
        "objective",
        "weekdays",
        "since",
    ]


def test_the_example_of_the_docs_is_right() -> None:
    page = (Path(__file__).parents[2] / "docs" / "freshness.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)

    assert promise_of(f"{CONTRACT}{example}") == Freshness(
        1, time(7), "Asia/Kolkata", weekdays=WORKDAYS, objective=0.99, since=date(2026, 11, 2)
    )


def test_a_promise_changes_nothing_in_the_tables() -> None:
    plain, promising = (read_contract(text, path="c") for text in (CONTRACT, with_sla(SEVEN)))

    assert plain.fingerprint == promising.fingerprint
