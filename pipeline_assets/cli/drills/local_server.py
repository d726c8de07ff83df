"""HTTP servers on this machine, for drills that need somebody on the other side."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Answer = tuple[HTTPStatus, Mapping[str, str], bytes]
    Answering = Callable[[Mapping[str, str], bytes], Answer]


@contextmanager
def local_server(answering: Answering) -> Iterator[int]:
    """Serve on a free port, which is yielded; `answering` gets the query's parameters and the body."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

        def log_message(self, *_: object) -> None:
            """Say nothing: what was asked is told in the timeline."""

        def _answer(self, body: bytes) -> None:
            status, headers, content = answering(dict(parse_qsl(urlsplit(self.path).query)), body)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def json_answer(document: object) -> Answer:
    return HTTPStatus.OK, {"Content-Type": "application/json"}, json.dumps(document).encode()
