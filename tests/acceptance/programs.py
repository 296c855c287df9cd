"""HTTP clients that are cheap to make, for one test each."""

import ssl
from collections.abc import Mapping
from functools import cache

import httpx2


@cache
def _trusted() -> ssl.SSLContext:
    # Reading all certificates takes longer than most of the tests, so it is done once.
    return ssl.create_default_context()


def program(
    base_url: str,
    *,
    cookies: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    follow_redirects: bool = False,
) -> httpx2.Client:
    """A client of `base_url` that asks it directly and patiently."""
    return httpx2.Client(
        base_url=base_url,
        cookies=dict(cookies or {}),
        headers=dict(headers or {}),
        follow_redirects=follow_redirects,
        timeout=30,
        trust_env=False,
        verify=_trusted(),
    )
