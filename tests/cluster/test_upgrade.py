"""From the version before to this one and back, with its data.

PREVIOUS names the commit of the version before: without it the newest tag `v…`, and where there is
none the commit before this one.
"""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from tests.acceptance.office import Answer, Office
from tests.acceptance.site import Site
from tests.cluster.cluster import SERVICES, Cluster, CommandError, Version, command
from tests.cluster.support import agenda_is_right, proposals, slots_taken

from delivery.git import Git
from delivery.use_cases import snapshot
from testkit.waiting import wait_for

TALK = {
    "title": "What an upgrade keeps",
    "abstract": "All of it.",
    "speaker_name": "Grace Hopper",
    "speaker_email": "grace@example.org",
}


def previous_commit() -> str:
    """The commit of the version before."""
    if named := os.environ.get("PREVIOUS"):
        return named
    try:
        return command("git", "describe", "--tags", "--abbrev=0", "--match=v*", "HEAD~1").strip()
    except CommandError:
        return "HEAD~1"


@pytest.fixture(scope="module")
def previous(tmp_path_factory: pytest.TempPathFactory, version: Version) -> Iterator[Version]:
    """The version before, built from its own checkout."""
    commit = previous_commit()
    try:
        command("git", "cat-file", "-e", f"{commit}:environments/local/deploy")
    except CommandError:
        pytest.skip(f"{commit} has no charts and images yet; PREVIOUS names another commit")
    checkout = tmp_path_factory.mktemp("previous") / "checkout"
    command("git", "worktree", "add", "--detach", checkout, commit)
    try:
        tag = snapshot(Git(checkout))
        tool = os.environ["CONTAINER_TOOL"]
        variables = (f"REGISTRY={version.registry}", f"VERSION={tag}", f"CONTAINER_TOOL={tool}")
        command("make", "-C", checkout, "images", *variables)
        yield Version(version.registry, tag, checkout)
    finally:
        command("git", "worktree", "remove", "--force", checkout)


def versions(cluster: Cluster) -> set[str]:
    """Return what the pods of the services say that they are."""
    pods = [each for service in SERVICES for each in cluster.pods(service)]
    return {each["metadata"]["labels"]["app.kubernetes.io/version"] for each in pods}


@contextmanager
def office_of(site: Site) -> Iterator[Office]:
    """An organizer who has signed in just now: each version may have forgotten the others."""
    with closing(Office(site.url, site.sign_in("Otto Organizer", "organizer"))) as office:
        yield office


def add(office: Office) -> Answer:
    """A talk more, on the agenda."""
    proposal = office.decide(office.submit(TALK), "accepted")
    office.wait_for_session(proposal)
    return proposal


def test_upgrade_and_the_way_back_keep_what_is_there(
    cluster: Cluster, site: Site, previous: Version, version: Version
) -> None:
    cluster.deploy(previous)
    assert versions(cluster) == {previous.tag}
    made: list[Answer] = []
    for each in (version, previous, version):
        with office_of(site) as office:
            made.append(add(office))
            before, slots = proposals(office), slots_taken(office)
        cluster.deploy(each)
        assert versions(cluster) == {each.tag}
        with office_of(site) as office:
            assert proposals(office) == before
            wait_for(lambda: slots_taken(office) == slots, "the agenda", 60, 0.5)  # noqa: B023
            assert agenda_is_right(office)
        print(f"\n{each.tag} has kept {len(before)} proposals")
    with office_of(site) as office:
        for proposal in made:
            office.withdraw(proposal)
