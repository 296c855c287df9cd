"""The versions that an If-Match names."""

from collections.abc import Collection

import pytest

from c4p.routes.etags import versions_in


@pytest.mark.parametrize("text", ["*", " * "])
def test_asterisk_names_any_version(text: str) -> None:
    assert versions_in(text) is None


@pytest.mark.parametrize(
    ("text", "versions"),
    [
        ('"1"', {1}),
        ('"1", "2"', {1, 2}),
        ('"1","2" ,, "30"', {1, 2, 30}),
        ('"1", W/"2", "three"', {1}),
        ('"1, 2", "3"', {3}),
        ('W/"1"', set()),
        ('"0", "01", "-1", "9999999999"', set()),
        ("1", set()),
        ('"\u0661"', set()),
        ("", set()),
        ('*, "x"', set()),
    ],
)
def test_list_names_the_versions_of_its_strong_tags(text: str, versions: Collection[int]) -> None:
    assert versions_in(text) == frozenset(versions)
