"""Port: sources that are asked for a day's pages, one after the other; what came survives a kill."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import re
import shutil
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from resources.run_lock import hold_lock
from sluice.errors import PullError, SecretMissing
from sluice.healing.backoff import asked_wait
from sluice.pulling.pages import PulledPage
from sluice.pulling.paging import first_url, is_end, next_url, read_answer, require_same_host
from sluice.pulling.pull import FROM_ENVIRONMENT, shown
from sluice.reading.json_document import MAX_DOCUMENT_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    import httpx

    from sluice.contract import FileFormat
    from sluice.pulling.paging import Answer
    from sluice.pulling.pull import Pull

SHORT_WAIT = timedelta(seconds=5)
"""What a source asks for up to this is waited for on the spot; longer waits are the business of the retries."""
MOST_SHORT_WAITS = 3
MOST_PAGES = 10_000
_MOST_REDIRECTS = 5
_MAX_PAGE_BYTES: dict[str, int] = {"json": MAX_DOCUMENT_BYTES}
_USUAL_MAX_PAGE_BYTES = 4 << 30
_GZIP_LEVEL = 6
_CHUNK_BYTES = 1 << 20
_PROGRESS = "progress.json"
_SENDABLE = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")
_PASSING = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
_NOT_ALLOWED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
_NOTHING_THERE = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
_NOT_OF_THE_URL = {*_PASSING, *_NOT_ALLOWED, HTTPStatus.REQUEST_TIMEOUT}


class Source(Protocol):
    def pulled(
        self, pull: Pull, file_format: FileFormat, partition: str, folder: Path, identity: str
    ) -> AbstractContextManager[tuple[PulledPage, ...]]:
        """Fetch all pages of a day into `folder`, one process at a time; it is removed when the block ends well.

        What an earlier try of the same `identity` has left there is not fetched again.
        """


@dataclass(frozen=True, slots=True)
class _Progress:
    """What is in the folder; `url` is the page to fetch next, None when all are there."""

    identity: str
    first: str
    url: str | None
    pages: tuple[tuple[str, str], ...] = ()  # (name, sha256 of the content)
    records: int = 0


class HttpSource:
    """Asks politely: one page at a time, and no more once the source says so. Secrets come from `environ`."""

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._environ = environ
        self._sleep = sleep
        self._jitter = jitter

    @contextmanager
    def pulled(
        self, pull: Pull, file_format: FileFormat, partition: str, folder: Path, identity: str
    ) -> Iterator[tuple[PulledPage, ...]]:
        with hold_lock(folder.parent / f".{folder.name}.lock", on_wait=lambda: None):
            progress = _resumed(folder, _Progress(identity, first_url(pull, partition), first_url(pull, partition)))
            with self._client(pull) as client:
                done = _Fetching(self, client, pull, file_format, folder).all_pages(progress)
            yield tuple(PulledPage(folder / name, sha256) for name, sha256 in done.pages)
            shutil.rmtree(folder)

    def _client(self, pull: Pull) -> httpx.Client:
        import httpx  # only pulls need it

        headers = {"User-Agent": "sluice", "Accept-Encoding": "gzip"}
        headers |= {name: self._value(name, value) for name, value in pull.headers}
        return httpx.Client(headers=headers, timeout=pull.timeout.total_seconds(), follow_redirects=False)

    def _value(self, header: str, written: str) -> str:
        if not written.startswith(FROM_ENVIRONMENT):
            return written
        name = written.removeprefix(FROM_ENVIRONMENT)
        value = self._environ.get(name, "")
        if not value:
            raise SecretMissing(name=name, header=header, problem="is not set")
        if not _SENDABLE.fullmatch(value):  # the error of the library would show the value
            raise SecretMissing(name=name, header=header, problem="is no plain text of one line")
        return value

    def wait(self, asked: timedelta) -> None:
        """Wait as long as the source asks for, and a little longer: others were told the same moment."""
        self._sleep(asked.total_seconds() + self._jitter())


@dataclass(frozen=True, slots=True)
class _Fetching:
    source: HttpSource
    client: httpx.Client
    pull: Pull
    file_format: FileFormat
    folder: Path

    def all_pages(self, progress: _Progress) -> _Progress:
        import httpx

        resumed = bool(progress.pages)
        while progress.url is not None:
            try:
                progress = self._with_next_page(progress, progress.url)
            except httpx.HTTPStatusError as error:
                if not (resumed and _means_the_url(error.response.status_code)):
                    raise
                # The link to the rest has expired since the earlier try: from the beginning, once.
                shutil.rmtree(self.folder)
                progress = replace(progress, url=progress.first, pages=(), records=0)
            resumed = False
        return progress

    def _with_next_page(self, progress: _Progress, url: str) -> _Progress:
        number = len(progress.pages) + 1
        if number > MOST_PAGES:
            raise PullError(
                f"{shown(url)} has more than {MOST_PAGES:,} pages.",
                cure="Ask for larger pages in the location, or correct pull.next: it may go in circles.",
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        body = self.folder / ".body"
        answer = self._fetch(url, number, body)
        if is_end(self.pull, answer) and progress.pages:
            done = replace(progress, url=None)
        else:
            name = f"page-{number:05}"
            sha256 = _keep(body, self.folder / name)
            if sha256 in {before for _, before in progress.pages[-1:]} and answer.records:
                raise PullError(
                    f"Page {number} of {shown(url)} is the page before once more.",
                    cure="Correct pull.next in the contract: the source does not take what it sends.",
                )
            records = progress.records + (answer.records or 0)
            following = next_url(self.pull, progress.first, answer, number, records)
            if following == url:
                raise PullError(
                    f"Page {number} of {shown(url)} names itself as the next one.",
                    cure="Correct pull.next in the contract.",
                )
            done = replace(progress, url=following, pages=(*progress.pages, (name, sha256)), records=records)
        _write(self.folder / _PROGRESS, json.dumps(asdict(done)).encode())
        return done

    def _fetch(self, url: str, number: int, body: Path) -> Answer:
        """Fetch one page into the file `body`; short waits and redirects within the host happen here."""
        waits, redirects, target = 0, 0, url
        while True:
            with self._asked(target, number) as response:
                if response.next_request is not None and redirects < _MOST_REDIRECTS:
                    redirects += 1
                    target = str(response.next_request.url)
                    require_same_host(url, target)
                    continue
                asked = asked_wait(dict(response.headers))
                wait = response.status_code in _PASSING and asked is not None and asked <= SHORT_WAIT
                if not (wait and waits < MOST_SHORT_WAITS):
                    _require_success(response, number)
                    _write_body(response, body, _MAX_PAGE_BYTES.get(self.file_format, _USUAL_MAX_PAGE_BYTES))
                    link = response.links.get("next", {}).get("url")
                    return read_answer(self.pull, self.file_format, body, target, link)
            waits += 1
            self.source.wait(asked or timedelta())

    @contextmanager
    def _asked(self, url: str, number: int) -> Iterator[httpx.Response]:
        """Ask for one page; what goes wrong on the way says where it was."""
        import httpx

        try:
            with self.client.stream("GET", url) as response:
                yield response
        except httpx.RequestError as error:
            why = str(error) or type(error).__name__
            message = f"Page {number} of {shown(url)} did not come: {why}. It is asked for again by itself."
            raise type(error)(message, request=httpx.Request("GET", shown(url))) from error


def _require_success(response: httpx.Response, number: int) -> None:
    import httpx

    if response.status_code == HTTPStatus.OK:
        return
    where = shown(str(response.request.url))
    phrase = f"{response.status_code} {response.reason_phrase}".strip()
    message = f"Page {number} of {where} was answered with {phrase}. {_cure(response.status_code)}"
    raise httpx.HTTPStatusError(message, request=httpx.Request("GET", where), response=response)


def _cure(status: int) -> str:
    if status in _PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "The pages before it are kept; it is asked for again by itself."
    if status in _NOT_ALLOWED:
        return "Check the secret that pull.headers of the contract names, then materialize the partition again."
    if status in _NOTHING_THERE:
        return "There is nothing for this day yet: it is asked for again by itself."
    return "Correct location and pull in the contract, then materialize the partition again."


def _means_the_url(status: int) -> bool:
    return HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in _NOT_OF_THE_URL


def _write_body(response: httpx.Response, body: Path, most_bytes: int) -> None:
    size = 0
    with body.open("wb") as target:
        for chunk in response.iter_bytes(_CHUNK_BYTES):
            size += len(chunk)
            if size > most_bytes:
                where = shown(str(response.request.url))
                raise PullError(
                    f"A page of {where} has more than {most_bytes:,} bytes.",
                    cure="Ask for smaller pages in the location of the contract.",
                )
            target.write(chunk)


def _keep(body: Path, page: Path) -> str:
    """Compress the body to its page, the same bytes every time, and return the hash of what it holds."""
    written = page.with_name(f".{page.name}")
    digest = hashlib.sha256()
    with (
        body.open("rb") as source,
        written.open("wb") as target,
        gzip.GzipFile("", "wb", _GZIP_LEVEL, target, mtime=0) as compressed,
    ):
        while chunk := source.read(_CHUNK_BYTES):
            digest.update(chunk)
            compressed.write(chunk)
    written.replace(page)
    body.unlink()
    return digest.hexdigest()


def _write(path: Path, content: bytes) -> None:
    written = path.with_name(f".{path.name}")
    written.write_bytes(content)
    written.replace(path)


def _resumed(folder: Path, fresh: _Progress) -> _Progress:
    """Return how far an earlier try of the same pull came; what is of another one, or damaged, is removed."""
    found = _read_progress(folder / _PROGRESS)
    if found and (found.identity, found.first) == (fresh.identity, fresh.first) and _is_intact(folder, found):
        return found
    if folder.exists():
        shutil.rmtree(folder)
    return fresh


def _read_progress(path: Path) -> _Progress | None:
    try:
        fields = json.loads(path.read_bytes())
        pages = tuple((str(name), str(sha256)) for name, sha256 in fields.pop("pages"))
        return _Progress(**fields, pages=pages)
    except (FileNotFoundError, ValueError, TypeError, KeyError):  # never begun, or cut off by a power cut
        return None


def _is_intact(folder: Path, progress: _Progress) -> bool:
    try:
        return all(_content_hash(folder / name) == sha256 for name, sha256 in progress.pages)
    except (OSError, EOFError, ValueError):
        return False


def _content_hash(page: Path) -> str:
    digest = hashlib.sha256()
    with gzip.open(page) as content:
        while chunk := content.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
