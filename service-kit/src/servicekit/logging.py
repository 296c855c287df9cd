"""One JSON object a line on stdout, with the trace it belongs to."""

import asyncio
import logging
import sys
from typing import Any, BinaryIO

import orjson
import structlog
from opentelemetry import trace

from servicekit.redaction import first_line, first_lines


def configure(service: str, level: str) -> None:
    """Send structlog and the standard library's loggers to stdout as JSON lines."""
    numeric = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _service(service),
        _trace_id,
        # Without the local variables: they hold addresses, links and secrets.
        structlog.processors.ExceptionRenderer(
            structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        ),
        _first_lines,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(serializer=_dumps)],
        wrapper_class=structlog.make_filtering_bound_logger(numeric),
        logger_factory=lambda *_: Lines(sys.stdout.buffer),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(numeric, logging.INFO), force=True)
    # Their lines say at each call what our own request line says once.
    for chatty in ("httpx", "httpx2", "httpcore2", "uvicorn.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def log_start(version: str, revision: str) -> None:
    """Write the line with which a process begins: what it is, as /info and the metrics say it."""
    structlog.get_logger().info("starting", version=version, revision=revision)


MAX_CAUSE = 300
"""Characters of a cause that a line may have."""


class Lines:
    """Writes lines to a file; those of one turn of the event loop with one call of the system,
    since with many requests a second that call is most of a line's cost.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._will_flush = False

    def write(self, line: bytes) -> None:
        """Write a line now, or at the end of this turn where an event loop runs."""
        self._file.write(line + b"\n")
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._flush()
            return
        if not self._will_flush:
            self._will_flush = True
            loop.call_soon(self._flush)

    debug = info = warning = error = critical = write

    def _flush(self) -> None:
        self._will_flush = False
        self._file.flush()


def root_cause(error: BaseException) -> str:
    """Return the root cause of `error`, in a line: `OperationalError: connection refused`."""
    while error.__cause__ is not None:
        error = error.__cause__
    return f"{type(error).__name__}: {first_line(str(error))}"[:MAX_CAUSE]


def _first_lines(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    if "exception" in event:
        event["exception"] = first_lines(event["exception"])
    return event


def _dumps(event: dict[str, Any], **options: Any) -> bytes:
    return orjson.dumps(event, default=options.get("default", str))


def _service(name: str) -> Any:
    def add(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
        event["service"] = name
        return event

    return add


def _trace_id(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = f"{context.trace_id:032x}"
    return event
