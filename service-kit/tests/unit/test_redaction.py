"""Redaction leaves of an exception's words what is nobody's."""

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from servicekit.redaction import first_line

JWT = jwt.encode({"alg": "HS256"}, {"sub": "ada"}, OctKey.import_key("k" * 32))
LINK = "eyJwcm9wb3NhbCI6IjAxOTc1YzJlIiwiZXhwIjoxfQ.Z3zqzA.TQ8mTq9c2f0Yb8Zb"
OPAQUE = "kq0c5UuTqLq6m2cZ3JmO1w3bDgJ0mZ0d8xk3v5b7n9M"


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("no mailbox ada@example.org here", "no mailbox a***@example.org here"),
        ("to=ada@example.org", "to=a***@example.org"),
        ("Key (email)=(ada@example.org) exists", "Key (email)=(a***@example.org) exists"),
        (f"the token {JWT} has expired", "the token *** has expired"),
        (f"unsigned: {JWT.rpartition('.')[0]}.", "unsigned: ***"),
        (f"GET /proposals/1?token={LINK} failed", "GET /proposals/1?token=*** failed"),
        (f"a link of {LINK}", "a link of ***"),
        (f"refused {OPAQUE}", "refused ***"),
        (f"session={OPAQUE}; Path=/", "session=***; Path=/"),
        ("Authorization: Bearer abcdefgh.x", "Authorization: Bearer ***"),
        ("invalid password='hunter two' given", "invalid password=*** given"),
        ('{"client_secret": "hunter2", "x": 1}', '{"client_secret": ***, "x": 1}'),
        ("passcode: hunter2", "passcode: ***"),
        ("can't reach redis://c4p:hunter2@valkey:6379/0", "can't reach redis://valkey:6379/0"),
        ("one\ntwo", "one"),
    ],
)
def test_first_line_masks_addresses_and_secrets(said: str, left: str) -> None:
    assert first_line(said) == left


@pytest.mark.parametrize(
    "said",
    [
        "no proposal 01975c2e-8f6a-7000-8000-000000000001",
        "password authentication failed for user c4p",
        "identity provider refuses c4p-service: invalid_client",
        "/usr/lib/python3.11/site-packages/opentelemetry/exporter/otlp/proto/http: no such file",
        "duplicate key value violates unique constraint proposals_pkey",
        "connection to [::1]:5432 failed: Connection refused",
    ],
)
def test_first_line_keeps_what_an_operator_needs(said: str) -> None:
    assert first_line(said) == said
