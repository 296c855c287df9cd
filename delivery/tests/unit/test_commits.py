"""Commits and the steps that they name."""

import pytest

from delivery.commits import Commit, Level, is_well_formed, standing

NOBODY = "0" * 40


def commit(message: str, number: int = 1) -> Commit:
    return Commit(f"{number:040x}", message, frozenset())


@pytest.mark.parametrize(
    ("message", "level"),
    [
        ("agenda: keep order, for people read it", Level.PATCH),
        ("fix(agenda): keep order, for people read it", Level.PATCH),
        ("fix: keep order", Level.PATCH),
        ("feat(agenda): show rooms, which people ask for", Level.MINOR),
        ("feat: show rooms", Level.MINOR),
        ("feat(agenda)!: answer no HTML, which nobody reads", Level.MAJOR),
        ("fix(agenda)!: refuse days without a date", Level.MAJOR),
        ("agenda!: refuse days without a date", Level.MAJOR),
        ("fix(agenda): x\n\nWhy.\n\nBREAKING CHANGE: days need a date", Level.MAJOR),
        ("Keep order", Level.PATCH),
        ("features: name them", Level.PATCH),
        ("feat (agenda) without a colon", Level.PATCH),
        ("fix(agenda): say feat!: in a sentence", Level.PATCH),
        ("Merge branch 'rooms'", Level.PATCH),
        ("", Level.PATCH),
    ],
)
def test_level_is_what_the_subject_says(message: str, level: Level) -> None:
    assert commit(message).level == level


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("agenda: keep order, for people read it", True),
        ("cluster tests: wait for what is there", True),
        ("fix(agenda): keep order", True),
        ("feat(agenda)!: answer no HTML", True),
        ("agenda!: refuse days without a date", True),
        ('Revert "feat(agenda): show rooms"', True),
        ("Merge branch 'rooms'", True),
        ("Keep order", False),
        ("feat: show rooms", False),
        ("chore(agenda): tidy", False),
        ("agenda:", False),
        ("agenda: ", False),
        ("", False),
    ],
)
def test_subject_is_area_and_what(subject: str, expected: bool) -> None:
    assert is_well_formed(subject) is expected


def test_commit_and_what_takes_it_back_go_together() -> None:
    kept, feature = commit("fix: a", 1), commit("feat: b", 2)
    revert = commit(f'Revert "feat: b"\n\nThis reverts commit {feature.hash}.', 3)
    assert list(standing([revert, feature, kept])) == [kept]


def test_commit_whose_revert_was_taken_back_stands() -> None:
    feature = commit("feat: b", 1)
    revert = commit(f"x\n\nThis reverts commit {feature.hash}.", 2)
    again = commit(f"x\n\nThis reverts commit {revert.hash}.", 3)
    assert list(standing([again, revert, feature])) == [feature]


def test_revert_of_what_is_older_stands() -> None:
    revert = commit(f'Revert "feat: b"\n\nThis reverts commit {NOBODY}.')
    assert list(standing([revert])) == [revert]
    assert revert.level == Level.PATCH
