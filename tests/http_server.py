"""A real HTTP server on 127.0.0.1 that answers what a test has prepared, and remembers what it was asked."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


@dataclass(frozen=True)
class Reply:
    """`cut` announces more bytes than come; `hang` waits so many seconds before it answers."""

    body: bytes = b"[]"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    hang: float = 0


@dataclass
class Site:
    """`answer` gets the path with its query. `asked` are (path, headers) of all requests."""

    url: str = ""
    answer: Callable[[str], Reply] = lambda _path: Reply()
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]


class _Server(ThreadingHTTPServer):
    site: Site
    closing: threading.Event


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server = cast("_Server", self.server)
        server.site.asked.append((self.path, dict(self.headers)))
        reply = server.site.answer(self.path)
        server.closing.wait(reply.hang)
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body) + (100 if reply.cut else 0)))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name in the library
        """Nobody reads it."""


@contextmanager
def serving() -> Iterator[Site]:
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.closing = threading.Event()
        server.daemon_threads = True
        server.site = Site(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.site
        finally:
            server.closing.set()
            server.shutdown()
            thread.join()
