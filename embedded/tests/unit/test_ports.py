"""The default ports."""

from collections import Counter

from embedded.ports import DEFAULTS, OBSERVERS


def test_defaults_are_all_different() -> None:
    assert [port for port, count in Counter(DEFAULTS.values()).items() if count > 1] == []


def test_observers_have_defaults() -> None:
    assert DEFAULTS.keys() >= OBSERVERS
