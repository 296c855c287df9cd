"""A whole platform that exports every trace to a receiver of the test's own."""

from collections.abc import Iterator

import pytest
from tests.observability.relay import relay
from tests.patience import PATIENT

from embedded.platform import Platform
from embedded.ports import random_free_ports
from embedded.trace_page import TraceServer, receiving
from testkit.ports import free_port

TRACED = ("frontend", "c4p-service", "agenda-service", "email-service", "consistency-job")


@pytest.fixture(scope="session")
def received() -> Iterator[TraceServer]:
    """A receiver of OTLP, and the traces that came."""
    with receiving() as server:
        yield server


@pytest.fixture(scope="session")
def platform(
    tmp_path_factory: pytest.TempPathFactory, received: TraceServer, few_authorities: None
) -> Iterator[Platform]:
    """Every service and what it needs; traces are exported five times a second,
    mails go through `relay`, and Prometheus reads every figure.
    """
    otel = {"OTEL_EXPORTER_OTLP_ENDPOINT": received.url, "OTEL_BSP_SCHEDULE_DELAY": "200"}
    hasty = {"OUTBOX_FIRST_WAIT_SECONDS": "0.1", "OUTBOX_LONGEST_WAIT_SECONDS": "0.4"}
    ports = {**random_free_ports(), "relay": free_port()}
    own = {"c4p-service": hasty, "email-service": {"SMTP_PORT": str(ports["relay"])}}
    env = {name: {**otel, **PATIENT.get(name, {}), **own.get(name, {})} for name in TRACED}
    home = tmp_path_factory.mktemp("platform")
    chatty = relay(ports["relay"], ports["smtp"])
    chatty.start()
    try:
        with Platform(home, choose_ports=lambda: ports, env=env, observe=True) as running:
            yield running
    finally:
        chatty.stop()
