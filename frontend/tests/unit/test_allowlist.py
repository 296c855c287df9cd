"""The allowlist itself, against the list that was agreed."""

import pytest

from frontend.domain import is_identifier
from frontend.gateway.allowlist import TABLE, Access, methods_of

ID = "0192f0c0-0000-7000-8000-000000000001"


def test_table_has_what_was_agreed_and_nothing_else() -> None:
    anyone = {("GET", "/sessions/{id}"), ("POST", "/proposals"), ("GET", "/cfp")}
    speaker = {
        ("GET", "/proposals/{id}"),
        ("PATCH", "/proposals/{id}"),
        ("POST", "/proposals/{id}/withdrawal"),
    }
    signed_in = {
        ("GET", "/proposals"),
        ("POST", "/proposals/{id}/decision"),
        ("POST", "/proposals/decisions"),
        ("GET", "/proposals/{id}/events"),
        ("PUT", "/cfp"),
        ("GET", "/deliveries"),
        ("POST", "/deliveries/{id}/retry"),
        ("GET", "/consistency-reports"),
        ("PUT", "/sessions/{id}/slot"),
        ("GET", "/proposals/{id}/emails"),
        ("GET", "/proposals/{id}/reviews"),
        ("PUT", "/proposals/{id}/review"),
        ("GET", "/actions"),
        ("GET", "/sessions/{id}/move"),
    }
    by_access = {
        access: {(row.method, row.path) for row in TABLE if row.access is access}
        for access in Access
    }
    assert by_access == {
        Access.ANYONE: anyone,
        Access.SPEAKER: speaker,
        Access.SIGNED_IN: signed_in,
    }


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/sessions", ("GET", "HEAD")),
        ("/cfp", ("GET", "PUT")),
        (f"/proposals/{ID}", ("GET", "PATCH")),
        ("/proposals/decisions", ("POST",)),
        (f"/sessions/{ID}", ("GET",)),
        (f"/sessions/{ID}/slot", ("PUT",)),
        ("/info", ()),
        ("/proposals/", ()),
        ("/proposals/../cfp", ()),
        ("/emails", ()),
        ("", ()),
    ],
)
def test_methods_of_a_path(path: str, methods: tuple[str, ...]) -> None:
    assert methods_of(path) == methods


@pytest.mark.parametrize(
    "text", ["..", ".", "", "a/b", "a b", "a%2fb", "a?b", "ä", "a" * 65, "a\n"]
)
def test_is_identifier_refuses_what_could_mean_another_path(text: str) -> None:
    assert not is_identifier(text)
