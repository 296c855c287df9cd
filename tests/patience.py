"""Long limits for every service of a platform."""

from collections.abc import Mapping

from testkit.service import PATIENT as LIMITS

SERVICES = ("c4p-service", "agenda-service", "email-service", "frontend")
PATIENT: Mapping[str, Mapping[str, str]] = dict.fromkeys(SERVICES, LIMITS)
"""Settings by service, for tests in which nobody is kept waiting by a fault."""
