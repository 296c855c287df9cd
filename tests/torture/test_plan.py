import itertools

from tests.torture.faults import TARGETS, plan
from tests.torture.talks import talk

SECONDS = 300


def test_plan_is_a_function_of_the_seed() -> None:
    assert plan(1, SECONDS) == plan(1, SECONDS)
    assert plan(1, SECONDS) != plan(2, SECONDS)


def test_plan_spares_nobody() -> None:
    faults = plan(1, SECONDS)
    assert {(fault.target, fault.kind) for fault in faults} == {
        (target, kind) for target in TARGETS for kind in ("kill", "freeze")
    }


def test_faults_of_one_target_follow_each_other() -> None:
    for target in TARGETS:
        faults = [fault for fault in plan(1, SECONDS) if fault.target == target]
        assert all(earlier.end < later.at for earlier, later in itertools.pairwise(faults))


def test_faults_of_several_targets_overlap() -> None:
    faults = plan(1, SECONDS)
    assert any(
        one.at < other.at < one.end for one in faults for other in faults if one is not other
    )


def test_faults_end_with_the_run() -> None:
    assert all(0 <= fault.at <= fault.end < SECONDS for fault in plan(1, SECONDS))


def test_run_of_ten_minutes_kills_two_hundred_times() -> None:
    assert sum(fault.kind == "kill" for fault in plan(1, 600)) >= 200


def test_talk_is_a_function_of_seed_and_number() -> None:
    assert talk(1, 7) == talk(1, 7)
    assert talk(1, 7).draft != talk(2, 7).draft
    assert talk(1, 7).address != talk(1, 8).address
    assert talk(1, 7).key != talk(2, 7).key


def test_talks_are_decided_in_every_way() -> None:
    decisions = {talk(1, number).decisions for number in range(100)}
    assert decisions == {("accepted",), ("rejected",), ("rejected", "accepted")}
