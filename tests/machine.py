"""The machine and the day of a measurement."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path


def machine() -> str:
    """The date, the processor and the version of Python, in words."""
    cpu = next(
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    )
    day = datetime.now(UTC).date()
    return f"{day}, {os.cpu_count()} cores of {cpu}, Python {platform.python_version()}"
