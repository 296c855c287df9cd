"""Rate, errors and duration of every route, on a port that no visitor reaches."""

import socket
from http.server import ThreadingHTTPServer
from threading import Thread

from prometheus_client import Counter, Gauge, Histogram, MetricsHandler

from servicekit.security import SECURITY_HEADERS

REQUESTS = Counter("http_requests_total", "Requests answered", ["method", "route", "status"])
DURATION = Histogram(
    "http_request_duration_seconds",
    "Time from a request's first byte to its answer's last, in seconds",
    ["method", "route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
BREAKER = Gauge("circuit_breaker_open", "1 while calls to a neighbour are held back", ["neighbour"])
CALLS = Counter(
    "neighbour_calls_total", "Calls to other services by outcome", ["neighbour", "outcome"]
)
SERVICE_INFO = Gauge(
    "service_info", "1, with the version and the commit as /info has them", ["version", "revision"]
)

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


_requests: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
"""The counters by their labels: finding one takes prometheus_client longer than counting."""


def observe(method: str, route: str, status: int, seconds: float) -> None:
    """Count one answered request; a method nobody knows is counted as OTHER."""
    known = method if method in METHODS else "OTHER"
    counters = _requests.get((known, route, status))
    if counters is None:
        counters = (REQUESTS.labels(known, route, status), DURATION.labels(known, route))
        _requests[known, route, status] = counters
    counters[0].inc()
    counters[1].observe(seconds)


class _Handler(MetricsHandler):
    """Answers as carefully as the other port; prometheus_client's own server does not."""

    timeout = 10
    """Seconds for which it waits for a client."""
    server_version = "metrics"
    sys_version = ""

    def end_headers(self) -> None:
        for name, value in SECURITY_HEADERS:
            self.send_header(name.decode(), value.decode())
        super().end_headers()


def tell_version(version: str, revision: str) -> None:
    """Set the gauge `service_info` of this process, whatever it was before."""
    SERVICE_INFO.clear()
    SERVICE_INFO.labels(version, revision).set(1)


def serve(bound: socket.socket) -> None:
    """Answer GET /metrics at the address of a socket, on a thread that ends with the process."""
    server = ThreadingHTTPServer(bound.getsockname()[:2], _Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = bound
    server.server_activate()
    Thread(target=server.serve_forever, daemon=True).start()
