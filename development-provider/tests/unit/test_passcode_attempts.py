"""The number of passcodes that may be tried."""

from itertools import pairwise

from development_provider.domain import FREE_ATTEMPTS, MAX_WAIT_SECONDS, PasscodeAttempts


def test_few_wrong_passcodes_cost_nothing() -> None:
    attempts = PasscodeAttempts()
    for _ in range(FREE_ATTEMPTS):
        attempts.count_wrong(100)
    assert attempts.wait_seconds(100) == 0


def test_more_wrong_passcodes_wait_ever_longer_up_to_a_minute() -> None:
    attempts = PasscodeAttempts()
    waits = []
    for _ in range(FREE_ATTEMPTS + 2000):
        attempts.count_wrong(100)
        waits.append(attempts.wait_seconds(100))
    assert waits[FREE_ATTEMPTS : FREE_ATTEMPTS + 3] == [1, 2, 4]
    assert all(before <= after for before, after in pairwise(waits))
    assert waits[-1] == MAX_WAIT_SECONDS
    assert attempts.wait_seconds(100 + MAX_WAIT_SECONDS) == 0


def test_right_passcode_begins_anew() -> None:
    attempts = PasscodeAttempts()
    for _ in range(FREE_ATTEMPTS):
        attempts.count_wrong(100)
    attempts.count_right()
    attempts.count_wrong(100)
    assert attempts.wait_seconds(100) == 0
