"""Every service is replaced while visitors are there, and none of them notices."""

from collections.abc import Callable

import pytest
from tests.acceptance.office import Office
from tests.cluster.cluster import SERVICES, Cluster
from tests.cluster.support import assert_kept
from tests.cluster.visitors import Visitors

FEWEST_PER_SECOND = 20
"""Of the 200 that are wanted: so few are no load, and a busy machine has more."""


@pytest.mark.parametrize(
    "rounds",
    [[(each,) for each in SERVICES], [SERVICES]],
    ids=["one after another", "all at once"],
)
def test_rolling_update_fails_no_request_and_loses_nothing(
    cluster: Cluster,
    visitors: Callable[[], Visitors],
    office: Office,
    rounds: list[tuple[str, ...]],
) -> None:
    with visitors() as day:
        for names in rounds:
            cluster.restart(*names)
    print(f"\nrolling update, {day.counted}")
    assert day.counted.per_second > FEWEST_PER_SECOND
    assert not day.counted.failures
    assert_kept(day.counted, office)
