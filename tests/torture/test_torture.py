"""A short run, with faults that hit every target."""

from pathlib import Path

from tests.torture.faults import TARGETS, plan
from tests.torture.figures import table
from tests.torture.torture import torture
from tests.torture.verdict import judge

SEED = 16
SECONDS = 20


def test_nothing_is_lost_while_everything_is_killed_and_frozen(tmp_path: Path) -> None:
    faults = plan(SEED, SECONDS)
    assert {fault.target for fault in faults} == set(TARGETS)
    run, course = torture(tmp_path, SEED, SECONDS)
    print(table(run, course))
    assert len(run.injected) == len(faults)
    assert judge(run) == []
