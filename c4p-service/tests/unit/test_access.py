"""Rights of a proposal's speaker."""

import pytest

from c4p.domain import is_same_address


@pytest.mark.parametrize("other", ["ada@example.org", "Ada@Example.ORG"])
def test_address_is_the_same_in_capitals(other: str) -> None:
    assert is_same_address("ada@example.org", other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada@straße.de", "ada@strasse.de"),
        ("ﬁona@example.org", "fiona@example.org"),
        ("ada@example.org", "ada@example.com"),
    ],
)
def test_address_that_only_looks_alike_is_another(one: str, other: str) -> None:
    assert not is_same_address(one, other)
