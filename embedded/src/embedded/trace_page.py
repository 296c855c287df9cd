"""Takes traces over OTLP/HTTP and shows the newest ones on a page: `make up OBSERVE=1`.

For one person on one machine; docs/decisions/0009-own-trace-page.md says why it is our own.
"""

import gzip
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

from google.protobuf.message import DecodeError
from jinja2 import Environment, FileSystemLoader

from embedded.traces import Trace, Traces
from testkit.process import Program, answers

MOST_BYTES = 16 * 2**20
_HTML = "text/html; charset=utf-8"
_PAGES = Environment(
    loader=FileSystemLoader(__file__.rpartition("/")[0]), autoescape=True, trim_blocks=True
)


class TraceServer(ThreadingHTTPServer):
    """POST /v1/traces takes OTLP in protobuf; / lists traces, /traces/ID and ID.txt show one."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.traces = Traces()
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: TraceServer

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        if length > MOST_BYTES:
            self.close_connection = True
            self._answer(413, "text/plain", b"Too large.")
            return
        body = self.rfile.read(length)
        try:
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            self.server.traces.add(body)
        except (DecodeError, OSError, EOFError):
            self._answer(400, "text/plain", b"Not OTLP in protobuf.")
            return
        self._answer(200, "application/x-protobuf", b"")

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        traces = self.server.traces
        if parts.path == "/":
            words = parse_qs(parts.query).get("q", [""])[0]
            self._page("traces.html", rows=list(_listed(traces, words)), words=words)
        elif found := traces.find(parts.path.removeprefix("/traces/").removesuffix(".txt")):
            if parts.path.endswith(".txt"):
                self._answer(200, "text/plain; charset=utf-8", f"{found}\n".encode())
            else:
                self._page("trace.html", trace=found, bars=list(_bars(found)))
        else:
            self._answer(404, "text/plain", b"There is no such trace (any more).")

    def _page(self, name: str, **values: object) -> None:
        self._answer(200, _HTML, _PAGES.get_template(name).render(**values).encode())

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: it would be a line for each export."""


def _listed(traces: Traces, words: str) -> Iterator[dict[str, object]]:
    """A row for each trace that has `words` in a name or in the value of an attribute."""
    for trace in traces.newest():
        if words and not any(
            words in each for span in trace.spans for each in (span.name, *_texts(span.attributes))
        ):
            continue
        yield {
            "trace": trace,
            "began": f"{datetime.fromtimestamp(trace.start / 1e9, UTC):%H:%M:%S}",
            "failed": any(span.failed for span in trace.spans),
            "services": ", ".join(dict.fromkeys(span.service for span in trace.spans)),
        }


def _texts(attributes: object) -> Iterator[str]:
    assert isinstance(attributes, dict)
    return (str(each) for each in attributes.values())


def _bars(trace: Trace) -> Iterator[dict[str, object]]:
    """A row for each span, with its bar's place in percent of the whole."""
    whole = max(trace.milliseconds, 0.001)
    for depth, span in trace.rows():
        begin, length = (span.start - trace.start) / 1e6, (span.end - span.start) / 1e6
        yield {
            "span": span,
            "depth": depth,
            "takes": f"{length:.1f}",
            "left": f"{begin / whole * 100:.2f}",
            "width": f"{max(length / whole * 100, 0.2):.2f}",
        }


@contextmanager
def receiving(port: int = 0) -> Iterator[TraceServer]:
    """A server that answers from a thread of its own; port 0 is any that is free."""
    server = TraceServer(port)
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def program(port: int) -> Program:
    """The server as a program of its own."""
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", __name__, str(port)]
    return Program("traces", command, lambda: answers(f"{url}/"), url=url)


if __name__ == "__main__":
    TraceServer(int(sys.argv[1])).serve_forever()
