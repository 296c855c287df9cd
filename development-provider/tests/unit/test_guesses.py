"""How many passcodes may be guessed."""

from itertools import pairwise

from development_provider.domain import FREE_GUESSES, LONGEST_WAIT_SECONDS, Guesses


def test_few_wrong_passcodes_cost_nothing() -> None:
    guesses = Guesses()
    for _ in range(FREE_GUESSES):
        guesses.wrong(100)
    assert guesses.wait_seconds(100) == 0


def test_more_wrong_passcodes_wait_ever_longer_up_to_a_minute() -> None:
    guesses = Guesses()
    waits = []
    for _ in range(FREE_GUESSES + 2000):
        guesses.wrong(100)
        waits.append(guesses.wait_seconds(100))
    assert waits[FREE_GUESSES : FREE_GUESSES + 3] == [1, 2, 4]
    assert all(before <= after for before, after in pairwise(waits))
    assert waits[-1] == LONGEST_WAIT_SECONDS
    assert guesses.wait_seconds(100 + LONGEST_WAIT_SECONDS) == 0


def test_right_passcode_begins_anew() -> None:
    guesses = Guesses()
    for _ in range(FREE_GUESSES):
        guesses.wrong(100)
    guesses.right()
    guesses.wrong(100)
    assert guesses.wait_seconds(100) == 0
