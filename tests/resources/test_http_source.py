"""A real client against a real server: pages, politeness, what survives, and what never leaves."""

from __future__ import annotations

import gzip
import json
import ssl
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from resources.failures import classify
from resources.http_source import HttpSource
from sluice.contract import FileFormat
from sluice.errors import AnswerUnexpected, AnswerUnreadable, PullError, SecretMissing, SluiceError
from sluice.healing.failure import FailureClass
from sluice.pulling.pull import LinkHeader, NextField, Offset, PageNumber, Pull
from tests.http_server import Reply, Site, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from sluice.pulling.pull import Next

DAY = "2026-11-03"
PAGES = [[{"id": 1}, {"id": 2}], [{"id": 3}, {"id": 4}], [{"id": 5}]]


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as found:
        yield found


class Waits:
    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def source(environ: Mapping[str, str] | None = None, waits: Waits | None = None) -> HttpSource:
    return HttpSource(environ or {}, sleep=waits or Waits(), jitter=lambda: 0.25)


def pull_of(site: Site, following: Next | None = None, records: str = "") -> Pull:
    return Pull(f"{site.url}/orders?day={{date}}", records, following, timeout=timedelta(seconds=60))


def contents(
    asked: HttpSource, pull: Pull, folder: Path, identity: str = "one", file_format: FileFormat = FileFormat.JSON
) -> list[bytes]:
    with asked.pulled(pull, file_format, DAY, folder, identity) as pages:
        return [gzip.decompress(page.file.read_bytes()) for page in pages]


def failing(asked: HttpSource, pull: Pull, folder: Path, identity: str = "one") -> BaseException:
    with pytest.raises((httpx.HTTPError, SluiceError)) as caught:
        contents(asked, pull, folder, identity)
    return caught.value


def page(records: object, **headers: str) -> Reply:
    return Reply(json.dumps(records).encode(), headers=headers)


def by_link(path: str) -> Reply:
    number = int(path.partition("page=")[2] or 0)
    link = {"Link": f'</orders?page={number + 1}>; rel="next"'} if number < 2 else {}
    return page(PAGES[number], **link)


def by_url(path: str) -> Reply:
    number = int(path.partition("page=")[2] or 0)
    return page({"items": PAGES[number], "links": {"next": f"/orders?page={number + 1}" if number < 2 else None}})


def by_token(path: str) -> Reply:
    number = int(path.partition("cursor=t")[2] or 0)
    return page({"items": PAGES[number], "cursor": f"t{number + 1}" if number < 2 else ""})


def by_number(path: str) -> Reply:
    return page([*PAGES, []][int(path.partition("p=")[2]) - 1])


def by_offset(path: str) -> Reply:
    return page({0: PAGES[0], 2: PAGES[1], 4: PAGES[2], 5: []}[int(path.partition("skip=")[2])])


@pytest.mark.parametrize(
    ("answer", "following", "records", "queries"),
    [
        pytest.param(by_link, LinkHeader(), "", ["day=2026-11-03", "page=1", "page=2"], id="link header"),
        pytest.param(by_url, NextField("links.next"), "items", ["day=2026-11-03", "page=1", "page=2"], id="url"),
        pytest.param(
            by_token,
            NextField("cursor", "cursor"),
            "items",
            ["day=2026-11-03", "day=2026-11-03&cursor=t1", "day=2026-11-03&cursor=t2"],
            id="token",
        ),
        pytest.param(
            by_number, PageNumber("p"), "", [f"day=2026-11-03&p={number}" for number in (1, 2, 3, 4)], id="numbers"
        ),
        pytest.param(
            by_offset, Offset("skip"), "", [f"day=2026-11-03&skip={number}" for number in (0, 2, 4, 5)], id="offset"
        ),
    ],
)
def test_all_pages_come_in_order(
    site: Site,
    tmp_path: Path,
    answer: Callable[[str], Reply],
    following: Next,
    records: str,
    queries: list[str],
) -> None:
    site.answer = answer

    found = [json.loads(body) for body in contents(source(), pull_of(site, following, records), tmp_path / DAY)]

    assert [item["items"] if records else item for item in found] == PAGES
    assert [path.partition("?")[2] for path in site.paths] == queries
    assert not (tmp_path / DAY).exists()


def test_bytes_are_kept_as_they_came(site: Site, tmp_path: Path) -> None:
    body = b'[ {"id": 1.10 ,"t":"\xc3\xbc"} ]\n'
    site.answer = lambda _: Reply(gzip.compress(body), headers={"Content-Encoding": "gzip"})

    assert contents(source(), pull_of(site), tmp_path / DAY) == [body]


def test_the_same_content_is_the_same_page(site: Site, tmp_path: Path) -> None:
    with source().pulled(pull_of(site), FileFormat.JSON, DAY, tmp_path / "a", "one") as first:
        before = [(page.file.read_bytes(), page.sha256) for page in first]
    with source().pulled(pull_of(site), FileFormat.JSON, DAY, tmp_path / "b", "two") as second:
        assert [(page.file.read_bytes(), page.sha256) for page in second] == before


def test_a_day_without_records_is_one_empty_page(site: Site, tmp_path: Path) -> None:
    assert contents(source(), pull_of(site, PageNumber("p")), tmp_path / DAY) == [b"[]"]
    assert len(site.asked) == 1


def test_lines_are_paged_as_well(site: Site, tmp_path: Path) -> None:
    site.answer = lambda path: Reply(b'{"id": 1}\n\n{"id": 2}\n' if path.endswith("skip=0") else b"\n")

    found = contents(source(), pull_of(site, Offset("skip")), tmp_path / DAY, file_format=FileFormat.JSONL)

    assert found == [b'{"id": 1}\n\n{"id": 2}\n']
    assert site.paths[-1].endswith("skip=2")


def test_a_secret_is_sent_and_shown_nowhere(site: Site, tmp_path: Path) -> None:
    pull = replace(pull_of(site), headers=(("Authorization", "env:SLUICE_SECRET_SHOP"), ("Accept", "text/json")))
    site.answer = lambda _: Reply(status=500)

    error = failing(source({"SLUICE_SECRET_SHOP": "Bearer abc"}), pull, tmp_path / DAY)

    assert site.asked[0][1]["Authorization"] == "Bearer abc"
    assert site.asked[0][1]["Accept"] == "text/json"
    assert "abc" not in f"{error!r} {error} {getattr(error, 'request', '')!r}"
    assert "day=" not in str(error)


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        pytest.param({}, "is not set", id="unset"),
        pytest.param({"SLUICE_SECRET_SHOP": "Bearer\nabc"}, "is no plain text", id="two lines"),
    ],
)
def test_a_secret_that_cannot_be_sent_needs_a_person(
    site: Site, tmp_path: Path, environ: Mapping[str, str], problem: str
) -> None:
    pull = replace(pull_of(site), headers=(("Authorization", "env:SLUICE_SECRET_SHOP"),))

    error = failing(source(environ), pull, tmp_path / DAY)

    assert isinstance(error, SecretMissing)
    assert problem in str(error)
    assert "abc" not in str(error)
    assert classify(error).failure_class is FailureClass.PERMISSION
    assert site.asked == []


def test_a_short_wait_is_waited_for_with_jitter(site: Site, tmp_path: Path) -> None:
    site.answer = lambda _: (
        Reply(status=429, headers={"Retry-After": "2"}) if len(site.asked) < 3 else page([{"id": 1}])
    )
    waits = Waits()

    assert contents(source(waits=waits), pull_of(site), tmp_path / DAY) == [b'[{"id": 1}]']
    assert waits.seconds == [2.25, 2.25]


@pytest.mark.parametrize("seconds", [pytest.param("120", id="long"), pytest.param("2", id="short, but for ever")])
def test_a_source_that_is_busy_is_left_alone(site: Site, tmp_path: Path, seconds: str) -> None:
    site.answer = lambda _: Reply(status=429, headers={"Retry-After": seconds})

    failure = classify(failing(source(), pull_of(site), tmp_path / DAY))

    assert failure.failure_class is FailureClass.UPSTREAM_UNAVAILABLE
    assert failure.retry_after == timedelta(seconds=int(seconds))
    assert len(site.asked) <= 4


@pytest.mark.parametrize(
    ("reply", "failure_class"),
    [
        pytest.param(Reply(status=503), FailureClass.UPSTREAM_UNAVAILABLE, id="unavailable"),
        pytest.param(Reply(status=500), FailureClass.TRANSIENT, id="broken"),
        pytest.param(Reply(status=401), FailureClass.PERMISSION, id="not known"),
        pytest.param(Reply(status=403), FailureClass.PERMISSION, id="not allowed"),
        pytest.param(Reply(status=404), FailureClass.UPSTREAM_MISSING, id="nothing there"),
        pytest.param(Reply(status=400), FailureClass.CODE, id="wrong request"),
        pytest.param(Reply(b'[{"id": 1}]', cut=True), FailureClass.TRANSIENT, id="cut off"),
        pytest.param(Reply(hang=30), FailureClass.TRANSIENT, id="silent"),
        pytest.param(
            Reply(b"no gzip", headers={"Content-Encoding": "gzip"}), FailureClass.TRANSIENT, id="wrongly encoded"
        ),
        pytest.param(Reply(b"<html>We are back soon"), FailureClass.UPSTREAM_UNAVAILABLE, id="a page for people"),
        pytest.param(Reply(b""), FailureClass.UPSTREAM_UNAVAILABLE, id="nothing at all"),
        pytest.param(Reply(b'{"error": "x"}'), FailureClass.SCHEMA_DRIFT, id="another shape"),
        pytest.param(Reply(status=302, headers={"Location": "http://127.0.0.1:1/"}), FailureClass.CODE, id="elsewhere"),
        pytest.param(Reply(status=302, headers={"Location": "/orders"}), FailureClass.CODE, id="in circles"),
    ],
)
def test_every_way_to_fail_has_its_class(site: Site, tmp_path: Path, reply: Reply, failure_class: FailureClass) -> None:
    site.answer = lambda _: reply
    pull = replace(pull_of(site), timeout=timedelta(seconds=0.5 if reply.hang else 60))

    error = failing(source(), pull, tmp_path / DAY)

    assert classify(error).failure_class is failure_class
    assert site.url in str(error)


def test_nobody_at_home_is_transient(tmp_path: Path) -> None:
    error = failing(source(), Pull("http://127.0.0.1:1/orders/{date}"), tmp_path / DAY)

    assert classify(error).failure_class is FailureClass.TRANSIENT
    assert "Page 1 of http://127.0.0.1:1/orders/2026-11-03 did not come" in str(error)


def test_a_wrong_certificate_needs_a_person() -> None:
    error = httpx.ConnectError("words")
    error.__context__ = ssl.SSLCertVerificationError("words")

    assert classify(error).failure_class is FailureClass.PERMISSION


def test_a_redirect_within_the_host_is_followed(site: Site, tmp_path: Path) -> None:
    site.answer = lambda path: (
        Reply(status=307, headers={"Location": "/v2" + path}) if path.startswith("/orders") else page([{"id": 1}])
    )

    assert contents(source(), pull_of(site), tmp_path / DAY) == [b'[{"id": 1}]']


def test_a_next_page_elsewhere_is_not_asked_for(site: Site, tmp_path: Path) -> None:
    site.answer = lambda _: page([{"id": 1}], Link='<http://127.0.0.1:1/orders>; rel="next"')

    error = failing(source(), pull_of(site, LinkHeader()), tmp_path / DAY)

    assert isinstance(error, PullError)
    assert "another host" in str(error)


@pytest.mark.parametrize(
    ("following", "link"),
    [
        pytest.param(LinkHeader(), '</orders?day=2026-11-03>; rel="next"', id="to itself"),
        pytest.param(PageNumber("ignored"), "", id="the same page again"),
    ],
)
def test_paging_that_does_not_move_is_refused(site: Site, tmp_path: Path, following: Next, link: str) -> None:
    site.answer = lambda _: page([{"id": 1}], Link=link)

    assert isinstance(failing(source(), pull_of(site, following), tmp_path / DAY), PullError)


def test_a_retry_goes_on_where_the_first_try_stopped(site: Site, tmp_path: Path) -> None:
    site.answer = lambda path: Reply(status=429) if path.endswith("page=2") else by_link(path)
    failing(source(), pull_of(site, LinkHeader()), tmp_path / DAY)
    site.answer = by_link

    found = contents(source(), pull_of(site, LinkHeader()), tmp_path / DAY)

    assert [json.loads(body) for body in found] == PAGES
    assert [path.partition("?")[2] for path in site.paths] == ["day=2026-11-03", "page=1", "page=2", "page=2"]


_PULL_IN_A_PROCESS = """
import sys
from datetime import timedelta
from pathlib import Path
from resources.http_source import HttpSource
from sluice.contract import FileFormat
from sluice.pulling.pull import LinkHeader, Pull

pull = Pull(sys.argv[1] + "/orders?day={date}", "", LinkHeader(), timeout=timedelta(seconds=60))
with HttpSource({}).pulled(pull, FileFormat.JSON, "2026-11-03", Path(sys.argv[2]), "one"):
    pass
"""


def test_a_killed_pull_goes_on_where_it_was(site: Site, tmp_path: Path) -> None:
    at_page_two = threading.Event()

    def hanging(path: str) -> Reply:
        at_page_two.set() if path.endswith("page=1") else None
        return replace(by_link(path), hang=60 if path.endswith("page=1") else 0)

    site.answer = hanging
    folder = tmp_path / DAY
    with subprocess.Popen([sys.executable, "-c", _PULL_IN_A_PROCESS, site.url, str(folder)]) as process:
        assert at_page_two.wait(120)
        process.kill()
    site.answer = by_link

    found = contents(source(), pull_of(site, LinkHeader()), folder)

    assert [json.loads(body) for body in found] == PAGES
    assert [path.partition("?")[2] for path in site.paths] == ["day=2026-11-03", "page=1", "page=1", "page=2"]


def test_another_pull_begins_anew(site: Site, tmp_path: Path) -> None:
    site.answer = lambda path: Reply(status=429) if path.endswith("page=2") else by_link(path)
    failing(source(), pull_of(site, LinkHeader()), tmp_path / DAY, "yesterday's")
    site.answer = by_link
    asked = len(site.asked)

    contents(source(), pull_of(site, LinkHeader()), tmp_path / DAY, "today's")

    assert len(site.asked) - asked == 3


def test_a_damaged_page_is_fetched_again(site: Site, tmp_path: Path) -> None:
    site.answer = lambda path: Reply(status=429) if path.endswith("page=2") else by_link(path)
    failing(source(), pull_of(site, LinkHeader()), tmp_path / DAY)
    (tmp_path / DAY / "page-00001").write_bytes(b"")
    site.answer = by_link

    found = contents(source(), pull_of(site, LinkHeader()), tmp_path / DAY)

    assert [json.loads(body) for body in found] == PAGES


def test_a_link_that_has_expired_meanwhile_leads_back_to_the_start(site: Site, tmp_path: Path) -> None:
    site.answer = lambda path: Reply(status=503) if path.endswith("page=1") else by_link(path)
    failing(source(), pull_of(site, LinkHeader()), tmp_path / DAY)
    asked = len(site.asked)
    site.answer = lambda path: Reply(status=410) if len(site.asked) == asked + 1 else by_link(path)

    found = contents(source(), pull_of(site, LinkHeader()), tmp_path / DAY)

    assert [json.loads(body) for body in found] == PAGES


def test_what_the_block_could_not_use_stays_for_the_next_try(site: Site, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), source().pulled(pull_of(site), FileFormat.JSON, DAY, tmp_path / DAY, "one"):
        _ = 1 / 0
    asked = len(site.asked)

    assert contents(source(), pull_of(site), tmp_path / DAY) == [b"[]"]
    assert len(site.asked) == asked


@pytest.mark.parametrize("error", [AnswerUnreadable, AnswerUnexpected])
def test_answers_that_cannot_be_used_are_errors_of_the_pull(error: type[SluiceError]) -> None:
    assert issubclass(error, PullError)
