"""Long limits, so that what is slow because the machine is busy does not count as unavailable."""

from collections.abc import Mapping

PATIENT: Mapping[str, Mapping[str, str]] = {
    "c4p-service": {"DATABASE_TIMEOUT_SECONDS": "10"},
    "agenda-service": {"VALKEY_TIMEOUT_SECONDS": "10"},
    "email-service": {"VALKEY_TIMEOUT_SECONDS": "10"},
    "frontend": {"NEIGHBOUR_SECONDS": "15", "VALKEY_TIMEOUT_SECONDS": "10"},
}
"""Settings by service, for tests in which nobody is kept waiting by a fault."""
