"""Parts that are unavailable for a while."""

from collections.abc import Iterator
from contextlib import contextmanager

from embedded.platform import Platform


@contextmanager
def outage(platform: Platform, name: str) -> Iterator[None]:
    """A part is stopped meanwhile."""
    platform.stop(name)
    try:
        yield
    finally:
        platform.start(name)
