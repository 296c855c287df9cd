"""The next version."""

import pytest

from delivery.commits import Level
from delivery.versions import Version, free, next_version, parsed, versions_of


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ([Level.PATCH], "1.2.4"),
        ([Level.PATCH, Level.MINOR, Level.PATCH], "1.3.0"),
        ([Level.MINOR, Level.MAJOR], "2.0.0"),
        # Something has changed, though no commit that stands says what.
        ([], "1.2.4"),
    ],
)
def test_next_version_follows_the_highest_level(levels: list[Level], expected: str) -> None:
    assert str(next_version(Version(1, 2, 3), levels, ())) == expected


def test_breaking_change_of_a_first_version_makes_it_1() -> None:
    assert next_version(Version(0, 4, 2), [Level.MAJOR], ()) == Version(1, 0, 0)


def test_version_that_is_taken_is_passed_over() -> None:
    taken = {Version(1, 3, 0), Version(1, 3, 1)}
    assert next_version(Version(1, 2, 3), [Level.MINOR], taken) == Version(1, 3, 2)
    assert free(Version(1, 3, 2), taken) == Version(1, 3, 2)


@pytest.mark.parametrize("text", ["1.2", "v1.2.3", "1.2.3-rc.1", "1.02.3", "", "1.2.3\n"])
def test_other_than_three_numbers_is_no_version(text: str) -> None:
    assert parsed(text) is None


def test_versions_are_in_the_order_of_numbers() -> None:
    tags = ["a/v0.9.0", "a/v0.10.0", "a/v1", "a/vnext", "ab/v3.0.0", "v4.0.0"]
    assert max(versions_of("a", tags)) == Version(0, 10, 0)
    assert len(versions_of("a", tags)) == 2
