"""The commands of docs/operate.md for backups, run word for word."""

import re
from collections.abc import Callable
from itertools import count

from tests.acceptance.office import Office, Talk
from tests.cluster.cluster import PATIENCE_SECONDS, ROOT, Cluster
from tests.cluster.support import agenda_is_right, proposals

from testkit.waiting import wait_for


def test_restore_brings_back_what_was_saved_and_the_agenda_with_it(
    cluster: Cluster,
    operator: Callable[[str], str],
    office: Office,
    new_talk: Callable[[], Talk],
) -> None:
    text = (ROOT / "docs" / "operate.md").read_text()
    section = text.partition("## Back up and restore PostgreSQL")[2].partition("\n## ")[0]
    save, restore = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    kept = office.decide(office.submit(new_talk()), "accepted")
    undecided = office.submit(new_talk())
    for each in (kept, undecided):
        office.wait_until_told(each)
    office.wait_for_session(kept)
    saved = proposals(office)
    operator(save)

    # On the agenda, and not; in a version that the backup does not know; unknown to it at all.
    office.withdraw(kept)
    changed = office.decide(undecided, "accepted")
    later = office.decide(office.submit(new_talk()), "accepted")
    for each in (changed, later):
        office.wait_for_session(each)
    office.wait_until_told(kept)

    operator(restore)
    assert proposals(office) == saved
    runs = count()

    def agrees() -> bool:
        # What was decided a moment ago counts as under way, and is left to the next run.
        if not agenda_is_right(office):
            cluster.run_consistency_job(f"again-{next(runs)}")
        return agenda_is_right(office)

    wait_for(agrees, "the agenda of the backup", PATIENCE_SECONDS, 5)
    assert office.session(kept) is not None
    assert office.proposal(undecided["id"]) == undecided
    print(f"\nrestored {len(saved)} proposals, {next(runs)} runs of the consistency job")
