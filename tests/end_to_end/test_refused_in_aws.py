"""What AWS refuses is told at `sluice doctor` and at run time, each in the class that says what helps.

ministack asks nobody who he is, unless told to, and never lets credentials run out; so a proxy answers in its place
what AWS's references say that S3, STS and SQS answer.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from pipeline_assets.cli.headless import build_places
from sluice.errors import CredentialsInvalid, QueueForbidden, QueueMissing
from sluice.healing.failure import FailureClass
from tests.end_to_end.test_events_in_aws import Lake, environment_of, tick
from tests.flaky_proxy import Refusal, flaky

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sluice.errors import SluiceError
    from tests.aws_server import AwsServer

pytestmark = pytest.mark.aws

DAY = "2026-11-03"
Refusals = dict[str, Refusal]  # by who refuses: S3 is asked by the names of buckets, all others at the root
CODE, PERMISSION = FailureClass.CODE, FailureClass.PERMISSION
NOTHING: Refusals = {}
FORBIDDEN: Refusals = {"S3": Refusal(403, "AccessDenied")}
QUEUE_FORBIDDEN: Refusals = {"others": Refusal(400, "AccessDeniedException")}
EXPIRED: Refusals = {"S3": Refusal(400, "ExpiredToken"), "others": Refusal(400, "ExpiredTokenException")}
ELSEWHERE: Refusals = {"S3": Refusal(301, "PermanentRedirect")}


@pytest.fixture
def lake(aws: AwsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    monkeypatch.chdir(tmp_path)
    client, name = aws.client("sqs"), uuid4().hex
    queue, dead = (client.create_queue(QueueName=f"{name}-{end}")["QueueUrl"] for end in ("in", "dead"))
    return Lake(aws, tmp_path, aws.new_bucket(f"lake-{name}", versioned=True), queue, dead)


def refusing(refusals: Refusals) -> Callable[[str, str], Refusal | None]:
    return lambda _, path: refusals.get("S3" if path.startswith("/lake-") else "others")


@pytest.mark.parametrize(
    ("refusals", "what", "found", "cure"),
    [
        pytest.param(FORBIDDEN, "bucket", "These credentials may not do", "Let their role do it", id="forbidden"),
        pytest.param(EXPIRED, "credentials", "The AWS credentials have expired.", "renew them", id="expired"),
        pytest.param(ELSEWHERE, "bucket", "is not in eu-central-1", "Set SLUICE_AWS_REGION to the", id="region"),
    ],
)
def test_doctor_tells_once_what_is_refused(lake: Lake, refusals: Refusals, what: str, found: str, cure: str) -> None:
    with flaky(lake.server.endpoint, refusing(refusals)) as endpoint:
        result = lake.command("doctor", "--json", SLUICE_AWS_ENDPOINT=endpoint)

    (broken,) = [row for row in json.loads(result.stdout) if row["state"] == "broken"]
    assert result.exit_code == 1
    assert (broken["what"], found in broken["found"], cure in broken["cure"]) == (what, True, True)


@pytest.mark.parametrize(
    ("refusals", "changed", "failure_class", "evidence"),
    [
        pytest.param(FORBIDDEN, {}, PERMISSION, "may not do", id="forbidden"),
        pytest.param(EXPIRED, {}, PERMISSION, "have expired", id="expired"),
        pytest.param(ELSEWHERE, {}, CODE, "region", id="region"),
        pytest.param(NOTHING, {"SLUICE_STORE": "s3://not-there"}, CODE, 'no bucket "not-there"', id="bucket"),
    ],
)
def test_a_run_that_is_refused_has_an_incident_of_its_class(
    lake: Lake, refusals: Refusals, changed: dict[str, str], failure_class: FailureClass, evidence: str
) -> None:
    lake.put("a.jsonl.gz")
    with flaky(lake.server.endpoint, refusing(refusals)) as endpoint:
        environment = environment_of({**lake.environ, "SLUICE_AWS_ENDPOINT": endpoint, **changed})
        (run,) = build_places(environment, [("orders", DAY)], tags={}, on_progress=lambda _: None)

    (incident,) = environment.ledger.incidents("orders")
    assert (incident.failure_class, evidence in incident.evidence) == (failure_class, True)
    assert run.error == incident.evidence


@pytest.mark.parametrize(
    ("refusals", "changed", "error", "failure_class"),
    [
        pytest.param(NOTHING, {"SLUICE_QUEUE": "-gone"}, QueueMissing, CODE, id="missing"),
        pytest.param(QUEUE_FORBIDDEN, {}, QueueForbidden, PERMISSION, id="forbidden"),
        pytest.param(EXPIRED, {}, CredentialsInvalid, PERMISSION, id="expired"),
    ],
)
def test_a_queue_that_is_refused_fails_the_tick_and_has_an_incident(
    lake: Lake,
    refusals: Refusals,
    changed: dict[str, str],
    error: type[SluiceError],
    failure_class: FailureClass,
) -> None:
    with flaky(lake.server.endpoint, refusing(refusals)) as endpoint:
        place = {name: lake.environ[name] + end for name, end in changed.items()}
        environment = environment_of({**lake.environ, "SLUICE_AWS_ENDPOINT": endpoint, **place})
        with pytest.raises(error) as caught:
            tick(environment, None)

    (incident,) = environment.ledger.incidents()
    assert (incident.dataset, incident.partition, incident.failure_class) == ("(arrivals)", "queue", failure_class)
    assert incident.evidence.startswith(caught.value.message)
