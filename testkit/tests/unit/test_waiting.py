import pytest

from testkit.waiting import wait_for


def test_wait_for_returns_the_first_result_that_is_true() -> None:
    results = iter([None, "", "ready", "later"])
    assert wait_for(lambda: next(results), "a result", pause=0) == "ready"


def test_wait_for_says_what_it_has_waited_for() -> None:
    with pytest.raises(AssertionError, match="waited 0 s for the end of days"):
        wait_for(lambda: None, "the end of days", timeout_seconds=0, pause=0)
