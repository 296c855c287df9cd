"""HTTP clients that are cheap to make, for one test each."""

from collections.abc import Mapping

import httpx2

from servicekit.http import trusted


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
        verify=trusted(),
    )
