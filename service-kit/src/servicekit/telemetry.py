"""Traces by OpenTelemetry, over OTLP when an endpoint is set; nothing at all when none is."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from opentelemetry import propagate, trace
from opentelemetry.trace import SpanKind

from servicekit.sampling import Attributes, Failed, Unsampled, fail
from servicekit.settings import Settings


def configure(service: str, settings: Settings, traced: Sequence[str] = ()) -> bool:
    """Set up the exporter if the environment names one; tell whether it did.

    `traced` are OpenTelemetry's names of what the service itself calls, such as `psycopg`.
    """
    endpoint = settings.otel_exporter_otlp_endpoint
    if endpoint is None:
        return False
    # Where nothing is exported, nobody waits for the import of what exports.
    from servicekit.exporting import export  # noqa: PLC0415

    export(endpoint, service, settings, traced)
    return True


def span(
    name: str,
    kind: SpanKind = SpanKind.INTERNAL,
    attributes: Attributes | None = None,
) -> AbstractContextManager[trace.Span]:
    """A span for what no instrumentation knows; an exception that leaves it is its error."""
    return trace.get_tracer(__name__).start_as_current_span(name, None, kind, attributes)


def traceparent() -> str | None:
    """The current trace in W3C form, to be kept beside work that is done later."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier.get("traceparent")


@contextmanager
def continued_from(parent: str | None, name: str, attributes: Attributes) -> Iterator[Failed]:
    """A span called `name` in the trace that `traceparent` told of earlier.

    Yields what takes the error when the work fails; it is told even where nothing is recorded.
    """
    earlier = propagate.extract({"traceparent": parent} if parent else {})
    above = trace.get_current_span(earlier).get_span_context()
    if above.is_valid and not above.trace_flags.sampled:
        work = Unsampled(earlier)
        with work.current():
            yield lambda error: work.failed(name, SpanKind.CONSUMER, attributes, error)
        return
    with trace.get_tracer(__name__).start_as_current_span(
        name, context=earlier, kind=SpanKind.CONSUMER, attributes=attributes
    ) as recorded:
        yield lambda error: fail(recorded, error)
