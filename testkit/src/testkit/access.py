"""Asserts that all that a service answers wants a token and a role, but for a list."""

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import httpx2

from testkit.issuer import Issuer
from testkit.problems import problem


def operations(openapi: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every method and path that a description has, with an id where the path wants one."""
    for template, methods in openapi["paths"].items():
        path = template
        while "{" in path:
            before, _, after = path.partition("{")
            path = f"{before}{uuid.UUID(int=1)}{after.partition('}')[2]}"
        for method in methods:
            yield method.upper(), path


OPEN = frozenset({("GET", "/info"), ("GET", "/livez"), ("GET", "/readyz")})
"""What anybody may ask of any service, beside its /openapi.json."""


def assert_closed(
    client: httpx2.Client,
    issuer: Issuer,
    *also_open: tuple[str, str],
    audience: str = Issuer.audience,
) -> None:
    """Every route of a service but OPEN and `also_open` wants a token, and a role in it."""
    found = set(operations(client.get("/openapi.json").json()))
    assert found >= OPEN | set(also_open), "the list of open routes names one that is not there"
    closed = found - OPEN - set(also_open)
    assert closed
    for method, path in sorted(closed):
        nobody = client.request(method, path)
        assert problem(nobody) == (401, "sign-in-required"), (method, path)
        assert nobody.headers["www-authenticate"].startswith("Bearer")
        somebody = client.request(method, path, headers=issuer.bearer("somebody", aud=audience))
        assert problem(somebody) == (403, "role-required"), (method, path)
