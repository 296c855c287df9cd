"""The migration's wait for PostgreSQL."""

from c4p.migrate import Wait


def test_wait_ends_when_nothing_takes_connections_for_too_long() -> None:
    wait = Wait(300, now=1000)
    assert not wait.is_over(1299, refused=False)
    assert wait.is_over(1300, refused=False)


def test_wait_for_a_server_that_refuses_is_shorter() -> None:
    wait = Wait(300, now=1000, refusal_seconds=20)
    assert not wait.is_over(1100, refused=True)
    assert not wait.is_over(1119, refused=True)
    assert wait.is_over(1120, refused=True)


def test_wait_counts_refusals_in_a_row_only() -> None:
    wait = Wait(300, now=1000, refusal_seconds=20)
    assert not wait.is_over(1100, refused=True)
    assert not wait.is_over(1110, refused=False)
    assert not wait.is_over(1125, refused=True)
    assert wait.is_over(1145, refused=True)


def test_wait_of_no_seconds_is_over_at_once() -> None:
    assert Wait(0, now=1000).is_over(1000, refused=False)
