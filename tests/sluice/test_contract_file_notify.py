"""What a contract says about telling people, and what is refused at its line (marked `# <-`) without its secrets."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import time
from pathlib import Path

import pytest

from sluice.contract import Contract, fingerprint_of, rules_fingerprint_of
from sluice.contract_file import read_contract
from sluice.errors import ContractProblems
from sluice.notices.rules import Event, NoticeSeverity, NotifyRules, QuietHours, Route

DOCS = (Path(__file__).parents[2] / "docs" / "notifications.md").read_text(encoding="utf-8")

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
customProperties:
  - property: sluice
    value:
"""
SECRET = "T0KEN5ECRET"
URL = f"slack://{SECRET}/B/C"


def with_notify(text: str) -> str:
    return f"{CONTRACT}      notify: {text}\n"


def rules_of(text: str) -> NotifyRules:
    return read_contract(with_notify(text), path="contract.yaml").notify


def problems_of(text: str) -> ContractProblems:
    with pytest.raises(ContractProblems) as refused:
        read_contract(text, path="contract.yaml")
    return refused.value


def test_without_notify_nobody_is_told() -> None:
    assert read_contract(f"{CONTRACT}      start: 2026-11-01\n", path="contract.yaml").notify == NotifyRules()


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        pytest.param(
            "{routes: [{to: SLACK_SHOP}]}",
            NotifyRules((Route("SLACK_SHOP", (Event.OPENED, Event.ESCALATED, Event.RESOLVED), NoticeSeverity.INFO),)),
            id="a route alone is told of every incident",
        ),
        pytest.param(
            "{routes: [{to: OPS, when: [escalated, opened], severity: critical}, {to: MAIL2}], success: true}",
            NotifyRules(
                (Route("OPS", (Event.OPENED, Event.ESCALATED), NoticeSeverity.CRITICAL), Route("MAIL2")), success=True
            ),
            id="everything about routes",
        ),
        pytest.param(
            '{routes: [{to: OPS}], quiet_hours: {from: "22:00", until: "07:00", zone: Europe/Berlin}, success: false}',
            NotifyRules((Route("OPS"),), QuietHours(time(22), time(7), "Europe/Berlin")),
            id="quiet hours",
        ),
        pytest.param(
            "{routes: [{to: OPS}], quiet_hours: {from: 22:30, until: 07:05, zone: Etc/UTC}}",
            NotifyRules((Route("OPS"),), QuietHours(time(22, 30), time(7, 5), "Etc/UTC")),
            id="times without quotes",
        ),
    ],
)
def test_notify_becomes_rules(text: str, rules: NotifyRules) -> None:
    assert rules_of(text) == rules


@pytest.mark.parametrize(
    ("text", "field", "problem"),
    [
        pytest.param("7", "notify", "must hold fields of its own.", id="no mapping"),
        pytest.param("{}", "notify", "names no route", id="empty"),
        pytest.param("{success: true}", "notify", "names no route", id="nobody to tell"),
        pytest.param("{route: [{to: OPS}]}", "notify.route", "is not a field here.", id="misspelt"),
        pytest.param("{routes: OPS}", "notify.routes", "must be a list of routes.", id="no list"),
        pytest.param("{routes: []}", "notify.routes", "must be a list of routes.", id="empty list"),
        pytest.param("{routes: [OPS]}", "notify.routes[0]", "must hold fields of its own.", id="a plain name"),
        pytest.param("{routes: [{when: [opened]}]}", "notify.routes[0].to", "is missing.", id="no name"),
        pytest.param("{routes: [{to: ops}]}", "notify.routes[0].to", "is no name", id="small letters"),
        pytest.param("{routes: [{to: 7}]}", "notify.routes[0].to", "is no name", id="a number"),
        pytest.param("{routes: [{to: OPS, at: x}]}", "notify.routes[0].at", "is not a field here.", id="route field"),
        pytest.param(
            "{routes: [{to: OPS, when: [open]}]}", "notify.routes[0].when[0]", 'is "open"', id="unknown event"
        ),
        pytest.param(
            "{routes: [{to: OPS, when: [success]}]}", "notify.routes[0].when[0]", 'is "success"', id="a setting"
        ),
        pytest.param("{routes: [{to: OPS, when: opened}]}", "notify.routes[0].when", "must be a list", id="one event"),
        pytest.param("{routes: [{to: OPS, when: []}]}", "notify.routes[0].when", "must be a list", id="no event"),
        pytest.param(
            "{routes: [{to: OPS, severity: high}]}", "notify.routes[0].severity", 'is "high"', id="unknown severity"
        ),
        pytest.param("{routes: [{to: OPS}, {to: OPS}]}", "notify.routes", "names OPS twice.", id="twice"),
        pytest.param("{routes: [{to: OPS}], success: 1}", "notify.success", "must be true or false.", id="success"),
        pytest.param(
            "{routes: [{to: OPS}], quiet_hours: 22-7}", "notify.quiet_hours", "must hold fields", id="plain hours"
        ),
        pytest.param(
            "{routes: [{to: OPS}], quiet_hours: {from: 22:00, until: 07:00}}",
            "notify.quiet_hours.zone",
            "is missing.",
            id="no zone",
        ),
        pytest.param(
            "{routes: [{to: OPS}], quiet_hours: {from: 22:00, until: 07:00, zone: Europe/Berln}}",
            "notify.quiet_hours.zone",
            'is "Europe/Berln", which is no time zone. Did you mean "Europe/Berlin"?',
            id="unknown zone",
        ),
        pytest.param(
            "{routes: [{to: OPS}], quiet_hours: {from: 24:00, until: 07:00, zone: Etc/UTC}}",
            "notify.quiet_hours.from",
            'is "24:00", which is no time.',
            id="no time",
        ),
        pytest.param(
            "{routes: [{to: OPS}], quiet_hours: {from: 22:00, zone: Etc/UTC}}",
            "notify.quiet_hours.until",
            "is missing.",
            id="no end",
        ),
        pytest.param(
            "{routes: [{to: OPS}], quiet_hours: {from: 07:00, until: 07:00, zone: Etc/UTC}}",
            "notify.quiet_hours",
            "end when they begin.",
            id="no length",
        ),
    ],
)
def test_what_means_nothing_is_refused_where_it_stands(text: str, field: str, problem: str) -> None:
    (found,) = problems_of(with_notify(text)).problems

    assert (found.line, found.field) == (14, f"customProperties[0].value.{field}")
    assert problem in str(found)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param(f'{{routes: [{{to: "{URL}"}}]}}', 14, id="as the name"),
        pytest.param(f'\n        routes:\n          - to: OPS\n          - to: "{URL}"', 17, id="in its line"),
        pytest.param(f'{{routes: [{{to: OPS, when: ["{URL}"]}}]}}', 14, id="as an event"),
        pytest.param(f'{{routes: ["{URL}"]}}', 14, id="as a route"),
        pytest.param(f'{{routes: "{URL}"}}', 14, id="as the routes"),
        pytest.param(f'{{routes: [{{to: OPS, "{URL}": 1}}]}}', 14, id="as a field"),
        pytest.param(f'"{URL}"', 14, id="as notify"),
        pytest.param(f"{{routes: [{{to: 'https://hooks.example.com/{SECRET}'}}]}}", 14, id="a webhook"),
        pytest.param(f"{{routes: [{{to: {SECRET.lower()}}}]}}", 14, id="a bare token"),
    ],
)
def test_a_secret_in_a_contract_is_refused_and_never_repeated(text: str, line: int) -> None:
    refused = problems_of(with_notify(text))

    assert refused.problems[0].line == line
    assert "SLUICE_NOTIFY_SLACK_SHOP" in str(refused)
    assert SECRET.lower() not in f"{refused} {refused.problems!r}".lower()


def test_who_is_told_changes_no_fingerprint() -> None:
    silent = Contract("orders", "1.0.0", ())
    told = replace(silent, notify=NotifyRules((Route("OPS"),)))

    assert fingerprint_of(told) == fingerprint_of(silent)
    assert rules_fingerprint_of(told) == rules_fingerprint_of(silent)


def test_the_example_of_the_docs_is_right() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL)
    head, _, _ = CONTRACT.partition("customProperties:")

    rules = read_contract(head + example, path="contract.yaml").notify

    pager = Route("PAGER", (Event.ESCALATED, Event.RESOLVED), NoticeSeverity.CRITICAL)
    assert rules == NotifyRules((Route("SLACK_SHOP"), pager), QuietHours(time(22), time(7), "Europe/Berlin"))
