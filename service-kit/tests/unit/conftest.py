"""The one tracer provider that a process may have, as services set it up."""

from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased

from servicekit.exporting import Ids, RedactingExporter, WhatBegins


@pytest.fixture(scope="session")
def provider() -> Iterator[InMemorySpanExporter]:
    kept = InMemorySpanExporter()
    made = TracerProvider(ParentBased(WhatBegins()), id_generator=Ids())
    made.add_span_processor(SimpleSpanProcessor(RedactingExporter(kept)))
    trace.set_tracer_provider(made)
    yield kept
    made.shutdown()


@pytest.fixture
def exporter(provider: InMemorySpanExporter) -> InMemorySpanExporter:
    """The spans that were exported since the test began."""
    provider.clear()
    return provider
