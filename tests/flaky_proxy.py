"""A proxy in front of a server, which throttles and breaks off as networks do: no emulator does it by itself."""

from __future__ import annotations

import http.client
import threading
from contextlib import contextmanager
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SLOW_DOWN = (
    b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
)
_OF_ONE_HOP = frozenset({"connection", "transfer-encoding", "content-length", "date", "server"})


class Trouble(Enum):
    SLOW_DOWN = auto()
    CUT_OFF = auto()  # half of the body, then nothing
    LOST_ANSWER = auto()  # the server has done it, and nobody hears of it


@contextmanager
def flaky(endpoint: str, trouble: Callable[[str, str], Trouble | None]) -> Iterator[str]:
    """Yield the URL of the proxy; `trouble` is asked of each request by method and path."""
    target = urlsplit(endpoint).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            found = trouble(self.command, self.path)
            if found is Trouble.SLOW_DOWN:
                self._answer(503, [("Content-Type", "application/xml")], _SLOW_DOWN)
                return
            connection = http.client.HTTPConnection(target, timeout=60)
            connection.request(self.command, self.path, body, dict(self.headers.items()))
            response = connection.getresponse()
            content = response.read()
            connection.close()
            if found is Trouble.LOST_ANSWER:
                self.close_connection = True
                return
            length = response.headers.get("Content-Length") or str(len(content))
            half = content[: len(content) // 2] if found is Trouble.CUT_OFF else content
            self._answer(response.status, response.getheaders(), half, length)
            self.close_connection = found is Trouble.CUT_OFF

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _pass_on  # noqa: N815  names that http.server looks for

        def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes, length: str = "") -> None:
            self.send_response(status)
            for name, value in headers:
                if name.lower() not in _OF_ONE_HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", length or str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
