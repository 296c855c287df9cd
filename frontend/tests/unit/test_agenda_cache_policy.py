"""The choice of the agenda that is served: `domain.plan`."""

import pytest

from frontend.domain import (
    AWAY_SECONDS,
    COLD_PATIENCE_SECONDS,
    LATE_PATIENCE_SECONDS,
    LATE_SECONDS,
    Knowledge,
    Plan,
    Source,
    plan,
)

NOW = 1000.0
FRESH = 1.0


def confirmed(seconds_ago: float) -> Knowledge:
    at = NOW - seconds_ago
    return Knowledge(has_copy=True, confirmed_at=at, attempted_at=at)


def failing(seconds_ago: float) -> Knowledge:
    return Knowledge(has_copy=True, confirmed_at=NOW - 3600, attempted_at=NOW - seconds_ago)


def test_plan_serves_a_fresh_copy_without_asking() -> None:
    assert plan(confirmed(0.5), NOW, FRESH) == Plan(Source.LIVE, False, 0)


@pytest.mark.parametrize("age", [FRESH, FRESH + LATE_SECONDS - 0.1])
def test_plan_serves_a_stale_copy_at_once_and_asks(age: float) -> None:
    assert plan(confirmed(age), NOW, FRESH) == Plan(Source.STALE, True, 0)


def test_plan_waits_a_moment_after_a_quiet_time() -> None:
    expected = Plan(Source.STALE, True, LATE_PATIENCE_SECONDS)
    assert plan(confirmed(FRESH + LATE_SECONDS), NOW, FRESH) == expected


def test_plan_waits_for_an_absent_service_only_after_a_longer_time() -> None:
    assert plan(failing(AWAY_SECONDS - 0.1), NOW, FRESH) == Plan(Source.SAVED, True, 0)
    expected = Plan(Source.SAVED, True, LATE_PATIENCE_SECONDS)
    assert plan(failing(AWAY_SECONDS), NOW, FRESH) == expected


def test_plan_serves_the_saved_copy_when_the_last_attempt_failed() -> None:
    assert plan(failing(0.5), NOW, FRESH) == Plan(Source.SAVED, False, 0)


def test_plan_asks_again_once_a_failed_attempt_is_no_longer_fresh() -> None:
    assert plan(failing(1.0), NOW, FRESH) == Plan(Source.SAVED, True, 0)


def test_plan_serves_a_saved_copy_of_any_age() -> None:
    ancient = Knowledge(has_copy=True, confirmed_at=NOW - 1e9, attempted_at=NOW - 0.5)
    assert plan(ancient, NOW, FRESH).source is Source.SAVED


def test_plan_calls_a_copy_saved_until_this_process_has_confirmed_it() -> None:
    from_disk = Knowledge(has_copy=True)
    assert plan(from_disk, NOW, FRESH) == Plan(Source.SAVED, True, LATE_PATIENCE_SECONDS)


def test_plan_waits_for_the_first_answer_when_there_is_no_copy() -> None:
    assert plan(Knowledge(), NOW, FRESH) == Plan(None, True, COLD_PATIENCE_SECONDS)


def test_plan_does_not_ask_a_dead_service_for_every_visitor_without_a_copy() -> None:
    known = Knowledge(attempted_at=NOW - 0.1)
    assert plan(known, NOW, FRESH) == Plan(None, False, COLD_PATIENCE_SECONDS)
