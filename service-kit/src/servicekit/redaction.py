"""What neither traces nor logs show: links, searches, addresses, secrets, and what people typed."""

import re
from collections.abc import Sequence
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Status

_ADDRESSES = ("http.url", "http.target", "url.full")


_ADDRESS = re.compile(r"[^\s<>()\[\]:;,\"'=]+@[^\s<>()\[\]:;,\"']+")
_SECRETS = (
    # Who signs in where, in an address: redis://user:password@host.
    (re.compile(r"(://)[^\s/]*@"), r"\1"),
    (re.compile(r"(?i)\b((?:bearer|basic)\s+)[\w.~+/=-]{8,}"), r"\1***"),
    (
        re.compile(
            r"(?i)([\w-]*(?:password|passwd|passcode|secret)[\"']?\s*[=:]\s*"
            r"|[\w-]*(?:token|cookie|session|code|key|authorization)[\"']?\s*=\s*)"
            r"(?:\"[^\"]*\"|'[^']*'|[^\s&,;)]+)"
        ),
        r"\1***",
    ),
    # JWTs, JWEs, signed links, and random words: longer than a UUID, which is for all to see.
    (re.compile(r"\beyJ[\w-]+(?:\.[\w-]*)+|\b[\w-]{40,}(?:\.[\w-]+)*"), "***"),
)


def mask_address(address: str) -> str:
    """An address that only who knows it recognises: `ada@example.org` → `a***@example.org`."""
    name, _, domain = address.rpartition("@")
    return f"{name[:1]}***@{domain}"


def mask_addresses(text: str) -> str:
    """`text` with every address in it masked."""
    return _ADDRESS.sub(lambda found: mask_address(found.group()), text)


def first_line(message: str) -> str:
    """What an exception says, without the lines in which databases and parsers repeat values.

    Addresses, passwords and tokens in the line are masked. What else people typed can't be told
    from the words around it: no exception of ours repeats it.
    """
    line = message.partition("\n")[0]
    for secret, mask in _SECRETS:
        line = secret.sub(mask, line)
    return mask_addresses(line)


def first_lines(stacks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same for structlog's form of an exception: it, its causes, and the groups in them."""
    return [
        {
            **stack,
            "exc_value": first_line(stack["exc_value"]),
            "exc_notes": [],
            "exceptions": [first_lines(each) for each in stack["exceptions"]],
        }
        for stack in stacks
    ]


def drop_query(span: trace.Span, _: object) -> None:
    """Keep queries out of traces: they carry speakers' links and what organizers search for."""
    if not isinstance(span, ReadableSpan) or span.attributes is None:
        return
    for name in _ADDRESSES:
        if name in span.attributes:
            span.set_attribute(name, str(span.attributes[name]).partition("?")[0])
    if "url.query" in span.attributes:
        span.set_attribute("url.query", "")


async def drop_query_of_call(span: trace.Span, request: object) -> None:
    """The same for a call by httpx2."""
    drop_query(span, request)


class RedactingExporter(SpanExporter):
    """Hands spans on with what their exceptions are, and the first line of what they say.

    Stack traces stay behind, since they end with the whole message; the log has the frames.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Hand on."""
        return self._exporter.export([_redacted(each) for each in spans])

    def shutdown(self) -> None:
        """Hand on."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Hand on."""
        return self._exporter.force_flush(timeout_millis)


def _redacted(span: ReadableSpan) -> ReadableSpan:
    if not span.events and span.status.description is None:
        return span
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=span.attributes,
        events=[_redacted_event(each) for each in span.events],
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _redacted_event(event: Event) -> Event:
    attributes = dict(event.attributes or {})
    attributes.pop("exception.stacktrace", None)
    if "exception.message" in attributes:
        attributes["exception.message"] = first_line(str(attributes["exception.message"]))
    return Event(event.name, attributes, event.timestamp)
