"""A fake neighbour for component tests: a real HTTP server that answers as the test tells it."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """A request that the fake got."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the fake: a status, and a body that travels as JSON unless it is bytes."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def _body(raw: bytes, headers: Mapping[str, str]) -> Any:
    if headers.get("content-type") == "application/x-www-form-urlencoded":
        return raw.decode()
    return json.loads(raw) if raw else None


class ManyCallersServer(ThreadingHTTPServer):
    """Answers each caller by a thread, and many who come at once."""

    daemon_threads = True
    # Else a sixth caller at once might wait a second, for the kernel to try again.
    request_queue_size = 128


class FakeNeighbour:
    """Answers every request by `answer`, which a test may replace, and keeps every `Call`."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        """With `tls` it answers by HTTPS only."""
        self.calls: list[Call] = []
        self.answer: Callable[[Call], Answer] = lambda _: Answer()
        self._server = ManyCallersServer(("127.0.0.1", 0), self._handler())
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._server.server_port}"

    def _handler(fake) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - self is the handler's
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _any(self) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                call = Call(self.command, self.path, headers, _body(raw, headers))
                fake.calls.append(call)
                answer = fake.answer(call)
                body = answer.body
                payload = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any  # noqa: N815 - http.server

            def log_message(self, *_: Any) -> None:
                """The calls are kept instead."""

        return Handler

    def start(self) -> None:
        """Answer from a thread of its own."""
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Refuse connections from now on."""
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def fake_neighbour(tls: ssl.SSLContext | None = None) -> Iterator[FakeNeighbour]:
    """A fake that answers 200 and {} until it is told otherwise."""
    fake = FakeNeighbour(tls)
    fake.start()
    try:
        yield fake
    finally:
        fake.stop()
