"""How a drill is played, without its servers: tests/end_to_end/test_drills.py has them."""

from __future__ import annotations

import json
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

import pytest

from pipeline_assets.cli.drill import print_played
from pipeline_assets.cli.drills import DRILLS
from pipeline_assets.cli.drills.local_server import local_server
from pipeline_assets.cli.drills.rate_limit import Vendor
from pipeline_assets.cli.drills.scene import Ask, Do, Expect, StepFailed
from pipeline_assets.cli.drills.stage import Played, Stage
from pipeline_assets.cli.sandbox import prepare_sandbox, sandbox_variables
from sluice.healing.failure import FailureClass
from sluice.healing.incident import Incident, RemedyKind
from sluice.timeline import Happening

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    variables = sandbox_variables(tmp_path, {}, {})
    return Stage(prepare_sandbox(tmp_path, {}, variables), ("drill_sales",), seconds=0.05)


def incident(stage: Stage) -> Incident:
    now = stage.environment.clock.now()
    return stage.environment.ledger.open_incident(
        Incident(0, "drill_sales", "2026-11-20", "v", FailureClass.CODE, now, now, "boom", "run 1")
    )


def test_what_the_user_has_set_for_sluice_stays_out_of_a_sandbox() -> None:
    mine = {
        "PATH": "/bin",
        "SLUICE_LEDGER_URL": "postgresql://x",
        "SLUICE_NOTIFY_OPS": "slack://x",
        "DAGSTER_HOME": "/x",
    }

    variables = sandbox_variables(Path("/home"), mine, {"SLUICE_NOTIFY_DRILL": "json://127.0.0.1:1/"})

    assert variables == {
        "PATH": "/bin",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        "SLUICE_HOME": "/home",
        "SLUICE_PROJECT_DATASETS": "/home/datasets",
        "SLUICE_NOTIFY_DRILL": "json://127.0.0.1:1/",
    }


@pytest.mark.parametrize("name", DRILLS)
def test_the_contracts_of_a_drill_are_valid_and_the_only_ones_in_its_sandbox(name: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        scene = DRILLS[name].build(stack, NOW)
        environment = prepare_sandbox(tmp_path, scene.contracts, sandbox_variables(tmp_path, {}, scene.environ))

        assert environment.contracts.keys() == scene.contracts.keys()


def test_what_a_drill_does_is_told_when_it_began(stage: Stage) -> None:
    before = stage.environment.clock.now()

    stage.play(Do("a file lands", lambda _: None))
    stage.play(Do("", lambda _: "what was done", who="owner"))

    assert [(item.who, item.what) for item in stage.told] == [("drill", "a file lands"), ("owner", "what was done")]
    assert before <= stage.told[0].at <= stage.told[1].at


def test_what_does_not_come_in_time_is_named(stage: Stage) -> None:
    with pytest.raises(StepFailed, match="waited 0 s for this: the partition is published"):
        stage.play(Expect("the partition is published", lambda _: False))


def test_what_has_come_is_waited_for_no_longer(stage: Stage) -> None:
    stage.play(Expect("the partition is published", lambda _: True))

    assert stage.told == []


def test_a_reader_who_sees_something_else_fails_the_drill(stage: Stage) -> None:
    stage.play(Ask("one and two", "SELECT 1, 2", [(1, 2)]))
    with pytest.raises(StepFailed, match=r"should see one and three, but sees 1, 2 \(asked: SELECT 1, 2\)"):
        stage.play(Ask("one and three", "SELECT 1,\n 2", [(1, 3)]))

    assert [item.what for item in stage.told] == ["one and two: 1, 2", "one and three: 1, 2"]


def test_an_open_incident_means_that_not_all_is_healed(stage: Stage) -> None:
    found = incident(stage)
    assert not stage.is_closed()

    stage.environment.ledger.resolve_incidents(found.dataset, found.partition, stage.environment.clock.now(), "sluice")
    assert stage.is_closed()


def test_the_timeline_joins_the_drill_and_the_ledger(stage: Stage) -> None:
    stage.tell("drill", "a file lands")
    incident(stage)
    stage.tell("drill", "a corrected file lands")

    assert [(item.who, item.what) for item in stage.timeline()] == [
        ("drill", "a file lands"),
        ("sluice", "incident 1 is opened: boom"),
        ("drill", "a corrected file lands"),
    ]


def played(missing: str) -> Played:
    happenings = (
        Happening(NOW, "drill", "a file of many records lands " * 5),
        Happening(
            NOW + timedelta(seconds=1.5), "sluice", "attempt 1 ends: the catalog is away", "drill_sales", "2026-11-20",
            FailureClass.UPSTREAM_UNAVAILABLE, RemedyKind.WAIT_FOR_UPSTREAM, "failed",
        ),
        Happening(NOW + timedelta(seconds=125), "sluice", "incident 1 is closed", outcome="resolved"),
    )  # fmt: skip
    return Played("crash", NOW, happenings, missing, Path("/tmp/home"), is_kept=bool(missing))


def test_a_timeline_fits_into_100_columns(capsys: pytest.CaptureFixture[str]) -> None:
    print_played(played(""), "A title")

    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 100
    assert "  1.5 s  sluice  attempt 1 ends" in "\n".join(lines)
    assert lines[-1] == "Healed: 1 incident closed, 125 s in all."


def test_a_drill_that_was_not_healed_says_what_is_missing_and_where_to_look(capsys: pytest.CaptureFixture[str]) -> None:
    print_played(played("waited 9 s for this: it is published"), "A title")

    told = capsys.readouterr().out
    assert "Not healed: waited 9 s for this: it is published" in told
    assert "SLUICE_HOME=/tmp/home" in told


def test_the_vendor_refuses_for_as_long_as_it_says_and_counts_who_comes_too_early(stage: Stage) -> None:
    vendor = Vendor()
    with local_server(vendor.answer) as port:
        assert ask(port, 2)["items"]
        vendor.limit(stage)
        refused = [status_of(port, page) for page in (1, 2, 2)]

    assert refused == [200, 429, 429]
    assert (vendor.refusals, vendor.too_early) == (1, 1)
    assert not vendor.was_waited_for(stage)


def ask(port: int, page: int) -> dict[str, list[object]]:
    opener = build_opener(ProxyHandler({}))
    with closing(opener.open(f"http://127.0.0.1:{port}/sales?page={page}", timeout=10)) as answer:
        found: dict[str, list[object]] = json.load(answer)
        return found


def status_of(port: int, page: int) -> int:
    try:
        ask(port, page)
    except HTTPError as error:
        error.close()
        return error.code
    return 200
