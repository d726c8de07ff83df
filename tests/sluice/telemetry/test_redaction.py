"""What is logged shows no secret, and stays readable."""

from __future__ import annotations

import time

import pytest

from sluice.telemetry.redaction import redacted

SECRET = "hunter2-HUNTER2"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            f"cannot open postgresql+psycopg2://sluice:{SECRET}@db:5432/ledger now",
            "cannot open postgresql+psycopg2://sluice:***@db:5432/ledger now",
            id="password of a URL",
        ),
        pytest.param(f"at https://:{SECRET}@h/x", "at https://:***@h/x", id="no user"),
        pytest.param(f"mailto://a:{SECRET}@h, x://b:{SECRET}@h", "mailto://a:***@h, x://b:***@h", id="two"),
        pytest.param(f"postgresql://u:p@{SECRET}@h/x", "postgresql://u:***@h/x", id="a password with an at sign"),
        pytest.param(f"GET https://h/x?page=2&token={SECRET}&a=b", "GET https://h/x?page=2&token=***&a=b", id="query"),
        pytest.param(f'{{"password": "{SECRET}", "user": "a"}}', '{"password": "***", "user": "a"}', id="JSON"),
        pytest.param(f"{{'api_key': '{SECRET}'}}", "{'api_key': '***'}", id="repr"),
        pytest.param(f"AWS_SECRET_ACCESS_KEY={SECRET}", "AWS_SECRET_ACCESS_KEY=***", id="variable"),
        pytest.param(f"Authorization: Bearer {SECRET}", "Authorization: Bearer ***", id="bearer"),
        pytest.param(f"x?X-Amz-Signature={SECRET}&b=1", "x?X-Amz-Signature=***&b=1", id="signed URL"),
    ],
)
def test_a_secret_is_taken_out(text: str, expected: str) -> None:
    assert redacted(text) == expected
    assert SECRET not in redacted(text)


@pytest.mark.parametrize(
    "text",
    [
        "orders 2026-11-20 failed at 12:30:05: 12 % rejected",
        "https://127.0.0.1:3000/runs/1@x",
        "s3://lake/raw/orders/date=2026-11-20/a.jsonl",
        "SLUICE_LEDGER_URL refers to secretsmanager:sluice/db#url, which is not there",
        "arn:aws:secretsmanager:eu-central-1:1:secret:db-AbC is there",
        "The AWS credentials have expired.",
        "a@example.com wrote to sluice",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redacted(text) == text


def test_to_redact_twice_changes_nothing() -> None:
    once = redacted(f"x://a:{SECRET}@h?token={SECRET} Bearer {SECRET}")

    assert redacted(once) == once


@pytest.mark.parametrize("text", ["a-" * 50_000, "secret" * 20_000, "://" * 30_000, "x:" * 50_000], ids=lambda t: t[:6])
def test_long_text_takes_no_long_time(text: str) -> None:
    began = time.process_time()

    redacted(text)

    assert time.process_time() - began < 1
