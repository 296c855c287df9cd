"""Imports of a service that exports nothing."""

import subprocess
import sys

PROGRAMS = (
    "frontend.main",
    "agenda.main",
    "c4p.main",
    "c4p.migrate",
    "email_service.main",
    "consistency.main",
    "development_provider.main",
)
EXPORTING = (
    "servicekit.exporting",
    "opentelemetry.exporter",
    "opentelemetry.instrumentation",
    # redis-py imports the rest of the SDK by itself.
    "opentelemetry.sdk.trace",
)


def test_nothing_that_exports_is_imported_before_it_is_asked_for() -> None:
    listing = f"import sys, {', '.join(PROGRAMS)}; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", listing], capture_output=True, text=True, check=True
    )
    imported = run.stdout.split()
    assert set(PROGRAMS) <= set(imported)
    assert not [each for each in imported if each.startswith(EXPORTING)]
