"""Slow, verbose and ill-formed clients on real sockets: cut off, and nobody else waits."""

import json
import select
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import httpx2
import psutil
import pytest

from servicekit.connections import MAX_HEADER_BYTES, MAX_HEADERS, MAX_URL_BYTES
from servicekit.security import SECURITY_HEADERS
from testkit.ports import free_port
from testkit.process import Process, Program, answers, running
from testkit.waiting import wait_for

RECEIVE_SECONDS = 1.0
LONG_SECONDS = 20.0
"""More than this machine needs for anything, busy as it may be."""
MAX_CONNECTIONS = 20
DRIP_SECONDS = 0.05
LARGE = 20_000_000
"""Bytes of the example's large answer."""
HEAD = b"POST /length HTTP/1.1\r\nHost: a\r\n"
GET = b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"


def example(name: str, receive_seconds: float) -> Program:
    """The example, which gives its clients so long for a request."""
    url = f"http://127.0.0.1:{free_port()}"
    env = {
        "PORT": url.rpartition(":")[2],
        "METRICS_PORT": str(free_port()),
        "RECEIVE_SECONDS": str(receive_seconds),
        "MAX_CONNECTIONS": str(MAX_CONNECTIONS),
    }
    command = [sys.executable, str(Path(__file__).with_name("example.py"))]
    return Program(name, command, lambda: answers(f"{url}/readyz"), env, url=url)


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[Process]:
    """One that cuts slow clients off while a test waits."""
    with running(example("hasty", RECEIVE_SECONDS), folder) as process:
        yield process


@pytest.fixture(scope="module")
def patient(folder: Path) -> Iterator[Process]:
    """One that cuts off nobody for being slow as long as a test lasts."""
    with running(example("patient", LONG_SECONDS), folder) as process:
        yield process


def connect(service: Process) -> socket.socket:
    host, _, port = service.url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=10)


def read_all(connection: socket.socket) -> bytes:
    """Return what comes until the service hangs up."""
    received = bytearray()
    with suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            received += piece
    return bytes(received)


def has_answered(connection: socket.socket, *, within: float) -> bool:
    """Return whether there is something to read, at the latest after some seconds."""
    readable, _, _ = select.select([connection], [], [], within)
    return bool(readable)


def answer_to(service: Process, request: bytes) -> bytes:
    """The whole answer to bytes after which the service hangs up."""
    with closing(connect(service)) as connection:
        connection.sendall(request)
        return read_all(connection)


def drip(connection: socket.socket, piece: bytes) -> None:
    """Send `piece` again and again until the service hangs up, which it must before long."""
    started = time.monotonic()
    connection.settimeout(DRIP_SECONDS)
    while time.monotonic() - started < LONG_SECONDS:
        try:
            connection.sendall(piece)
            if connection.recv(65536) == b"":
                return
        except TimeoutError:
            continue
        except OSError:
            return
    raise AssertionError("it never hung up")


def problem_in(answer: bytes) -> tuple[int, str]:
    """The status and kind of a refusal, which must be whole and protected."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    for name, value in SECURITY_HEADERS:
        assert name + b": " + value in lines, answer
    assert b"connection: close" in lines
    assert b"content-length: %d" % len(body) in lines
    document = json.loads(body)
    assert lines[0].startswith(b"HTTP/1.1 %d " % document["status"])
    return document["status"], document["type"].removeprefix("urn:problem:")


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        pytest.param(b"", b"\r\n", id="before a request"),
        pytest.param(b"GET /", b"a", id="in the address"),
        pytest.param(HEAD, b"X-A: b\r\n", id="in the headers"),
        pytest.param(HEAD + b"Content-Length: 9999\r\n\r\n", b"a", id="in the body"),
        pytest.param(
            HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n", id="in a chunked body"
        ),
        pytest.param(
            b"POST /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\n",
            b"a",
            id="in a body that nobody reads",
        ),
        pytest.param(GET, b"\r\n", id="after an answer"),
        pytest.param(GET + b"GET /", b"a", id="in a second request"),
    ],
)
def test_client_that_drips_is_cut_off(service: Process, start: bytes, piece: bytes) -> None:
    # The service begins to count as soon as it is connected to.
    started = time.monotonic()
    with closing(connect(service)) as connection:
        connection.sendall(start)
        drip(connection, piece)
    assert time.monotonic() - started > RECEIVE_SECONDS / 2


@pytest.mark.parametrize(
    "request_so_far",
    [b"GET / HTTP/1.1\r\nHost:", HEAD + b"Content-Length: 9\r\n\r\nhalf"],
    ids=["head", "body"],
)
def test_client_that_stops_in_the_middle_is_told_why(
    service: Process, request_so_far: bytes
) -> None:
    assert problem_in(answer_to(service, request_so_far)) == (408, "request-too-slow")


def test_client_that_says_nothing_is_cut_off(service: Process) -> None:
    assert answer_to(service, b"") == b""


def test_slow_but_steady_client_is_served(patient: Process) -> None:
    with closing(connect(patient)) as connection:
        for piece in (HEAD, b"Content-Length: 4\r\n\r\n", b"aa"):
            connection.sendall(piece)
            assert not has_answered(connection, within=DRIP_SECONDS)
        connection.sendall(b"aa")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")


def test_idle_connection_is_kept_longer_than_a_request_may_take(service: Process) -> None:
    limits = httpx2.Limits(keepalive_expiry=LONG_SECONDS)
    with httpx2.Client(base_url=service.url, limits=limits) as client:
        port = client_port(client.get("/livez"))
        # Whoever has never said anything is cut off after the time that a request may take.
        assert answer_to(service, b"") == b""
        assert client_port(client.get("/livez")) == port


def test_connection_is_kept_after_an_answer_that_came_before_the_body(service: Process) -> None:
    def is_kept() -> bool:
        with closing(connect(service)) as connection, suppress(OSError):
            connection.sendall(HEAD.replace(b"length", b"nowhere") + b"Content-Length: 4\r\n\r\nbo")
            answer = b""
            while not answer.endswith(b"}") and (piece := connection.recv(65536)):
                answer += piece
            assert answer.startswith(b"HTTP/1.1 404")
            connection.sendall(b"dy")
            # As above.
            assert answer_to(service, b"") == b""
            connection.sendall(GET)
            return connection.recv(65536).startswith(b"HTTP/1.1 200")
        return False

    # A busy machine may take longer to send the rest than it has.
    wait_for(is_kept, "a connection that is kept", LONG_SECONDS)


def client_port(answer: httpx2.Response) -> int:
    """The client's end of the connection by which the answer came."""
    _, port = answer.extensions["network_stream"].get_extra_info("client_addr")
    return int(port)


def test_client_that_sends_too_large_a_body_to_its_end_reads_why(patient: Process) -> None:
    with closing(connect(patient)) as connection:
        connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % LARGE)
        connection.sendall(b"a" * LARGE)
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        refusal, _, next_answer = read_all(connection).rpartition(b"HTTP/1.1 ")
    assert refusal.startswith(b"HTTP/1.1 413 ")
    assert b"urn:problem:body-too-large" in refusal
    assert next_answer.startswith(b"200 ")


def test_client_that_stops_in_a_body_too_large_is_answered_once(service: Process) -> None:
    answer = answer_to(service, HEAD + b"Content-Length: %d\r\n\r\na" % LARGE)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert answer.count(b"HTTP/1.1 ") == 1


def test_client_that_does_not_read_is_cut_off(patient: Process) -> None:
    with closing(connect(patient)) as connection:
        port = connection.getsockname()[1]
        # The kernel says that a connection is made before the service has taken it.
        wait_for(lambda: port in clients_of(patient), "the service to take the connection")
        connection.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n" * 2)
        # Only the kernel's own buffers are left to be read once the service has given up.
        wait_for(lambda: port not in clients_of(patient), "the service to hang up")
        assert len(read_all(connection)) < LARGE


def clients_of(service: Process) -> set[int]:
    """The ports of everybody who is connected."""
    connections = psutil.Process(service.pid).net_connections("tcp")
    return {each.raddr.port for each in connections if each.raddr}


@pytest.mark.parametrize("start", [b"", HEAD, HEAD + b"Content-Length: 9\r\n\r\n"])
def test_many_slow_clients_keep_nobody_from_being_answered(patient: Process, start: bytes) -> None:
    with ExitStack() as stack:
        for _ in range(5 * MAX_CONNECTIONS):
            connection = stack.enter_context(closing(connect(patient)))
            with suppress(OSError):
                connection.sendall(start)
        # Long before any of them is cut off for being slow.
        within = LONG_SECONDS / 2
        client = stack.enter_context(httpx2.Client(base_url=patient.url, timeout=within))
        assert client.post("/length", content=b"abc").json() == 3


@pytest.mark.parametrize(
    ("request_head", "expected"),
    [
        pytest.param(
            b"GET /" + b"a" * MAX_URL_BYTES + b" HTTP/1.1\r\nHost: a\r\n\r\n",
            (414, "uri-too-long"),
            id="long address",
        ),
        pytest.param(
            b"GET / HTTP/1.1\r\n" + b"X-A: b\r\n" * (MAX_HEADERS + 1) + b"\r\n",
            (431, "headers-too-large"),
            id="many headers",
        ),
        pytest.param(
            b"GET / HTTP/1.1\r\nX-A: " + b"b" * MAX_HEADER_BYTES + b"\r\n\r\n",
            (431, "headers-too-large"),
            id="large header",
        ),
        pytest.param(
            b"GET / HTTP/1.1\r\nX-A: " + b"b" * 1_000_000,
            (431, "headers-too-large"),
            id="header without an end",
        ),
        pytest.param(b"GET /" + b"a" * 1_000_000, (431, "headers-too-large"), id="endless address"),
    ],
)
def test_head_that_is_too_large_is_refused(
    patient: Process, request_head: bytes, expected: tuple[int, str]
) -> None:
    with closing(connect(patient)) as connection:
        with suppress(OSError):
            for start in range(0, len(request_head), 16_000):
                connection.sendall(request_head[start : start + 16_000])
                if has_answered(connection, within=0.002):
                    break
        assert problem_in(read_all(connection)) == expected


def test_request_that_nobody_has_seen_is_counted(service: Process) -> None:
    def counted() -> float:
        port = service.program.env["METRICS_PORT"]
        lines = httpx2.get(f"http://127.0.0.1:{port}/metrics").text.splitlines()
        name = 'http_requests_total{method="OTHER",route="refused",status="408"} '
        return sum(float(each.removeprefix(name)) for each in lines if each.startswith(name))

    before = counted()
    answer_to(service, b"GET / HTTP/1.1\r\nHost:")
    assert counted() == before + 1
    # Of this one the application tells.
    answer_to(service, HEAD + b"Content-Length: 9\r\n\r\nhalf")
    assert counted() == before + 1


def test_head_within_the_limits_is_taken(service: Process) -> None:
    headers = {f"X-{number}": "a" * 300 for number in range(MAX_HEADERS - 10)}
    query = "a" * (MAX_URL_BYTES - 100)
    assert httpx2.get(f"{service.url}/livez?{query}", headers=headers).status_code == 200


BODY = b"5\r\nhello\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(
            HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + BODY, id="CL.TE"
        ),
        pytest.param(
            HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" + BODY, id="TE.CL"
        ),
        pytest.param(HEAD + b"Transfer-Encoding: xchunked\r\n\r\n" + BODY, id="unknown coding"),
        pytest.param(
            HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n" + BODY, id="not chunked last"
        ),
        pytest.param(HEAD + b"Transfer-Encoding : chunked\r\n\r\n" + BODY, id="space before colon"),
        pytest.param(HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", id="two CL"),
        pytest.param(HEAD + b"Content-Length: +5\r\n\r\nhello", id="signed CL"),
        pytest.param(HEAD + b"Content-Length: 5, 6\r\n\r\nhello", id="listed CL"),
        pytest.param(HEAD + b"Content-Length: 0x5\r\n\r\nhello", id="hexadecimal CL"),
        pytest.param(HEAD + b"X-A: b\r\n folded\r\n\r\n", id="folded header"),
        pytest.param(b"GET / HTTP/1.1\nHost: a\n\n", id="bare line feeds"),
        pytest.param(HEAD + b"X-A: a\x00b\r\n\r\n", id="NUL in a header"),
        pytest.param(b"GET / HTTP/9.9\r\nHost: a\r\n\r\n", id="unknown version"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", id="TLS"),
        pytest.param(
            HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", id="chunk overflow"
        ),
        pytest.param(b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", id="unknown method"),
        pytest.param(b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", id="CONNECT"),
    ],
)
def test_request_with_two_meanings_is_refused(service: Process, request_bytes: bytes) -> None:
    smuggled = b"GET /info HTTP/1.1\r\nHost: a\r\n\r\n"
    answer = answer_to(service, request_bytes + smuggled)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert problem_in(answer) == (400, "request-refused")


def test_garbage_behind_a_request_does_not_become_its_answer(service: Process) -> None:
    answer = answer_to(service, GET + b"\x00garbage")
    assert b" 400 " not in answer


def test_requested_upgrade_is_ignored(service: Process) -> None:
    upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    with closing(connect(service)) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n" + upgrade)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")
        drip(connection, b"a")


def test_fault_of_ours_is_answered_as_carefully_as_anything(service: Process) -> None:
    answer = httpx2.get(f"{service.url}/broken")
    assert answer.status_code == 500
    sent = {(name.encode(), value.encode()) for name, value in answer.headers.items()}
    assert set(SECURITY_HEADERS) <= sent


def test_client_that_leaves_is_no_fault_of_ours(service: Process) -> None:
    with closing(connect(service)) as connection:
        connection.sendall(HEAD + b"X-Test: leaves\r\nContent-Length: 9\r\n\r\nhalf")
    wait_for(lambda: '"status":400' in service.log_text(), "the request in the log")
    assert "ClientDisconnect" not in service.log_text()


@pytest.mark.parametrize("method", ["GET", "POST", "NONSENSE"])
def test_metrics_are_protected_as_well(service: Process, method: str) -> None:
    port = service.program.env["METRICS_PORT"]
    answer = httpx2.request(method, f"http://127.0.0.1:{port}/metrics")
    sent = {(name.encode(), value.encode()) for name, value in answer.headers.items()}
    assert set(SECURITY_HEADERS) <= sent
    assert "ython" not in answer.headers["server"]
