"""The use cases of the commands: read git, and judge by the rules."""

from collections.abc import Sequence
from dataclasses import dataclass

from delivery import development_secrets, services, versions
from delivery.cluster import Cluster
from delivery.commits import Commit, is_well_formed, standing
from delivery.development_secrets import GENERATED, STANDS_IN
from delivery.git import Git
from delivery.problems import DeliveryError
from delivery.services import Workspace
from delivery.versions import Version

PYPROJECT = "pyproject.toml"
NOTHING = Workspace({}, frozenset())


@dataclass(frozen=True, slots=True)
class Touched:
    """A service that a range of commits touches."""

    service: str
    because: Sequence[str]
    content: bool
    """Whether what is released is another one, and not only the tests of it."""


@dataclass(frozen=True, slots=True)
class NextVersion:
    """The version of what a commit holds of a service."""

    service: str
    version: Version
    previous: Version | None
    """The newest that has a tag."""
    changed: bool
    """Whether anything is to be released: without it, `version` is `previous`."""


@dataclass(frozen=True, slots=True)
class MadeSecret:
    """A Secret that is there now."""

    name: str
    new: bool
    lacks: Sequence[str] = ()
    """Keys that it should have: one that was there before is left alone."""


def ends_of(commits: str) -> tuple[str, str]:
    """Return the two revisions of FROM..TO; TO is HEAD where it is left out."""
    before, dots, after = commits.partition("..")
    if not dots or not before or ".." in after or after.startswith("."):
        raise DeliveryError(f"{commits!r} is no range of commits: write FROM..TO.")
    return before, after or "HEAD"


def workspace_at(git: Git, revision: str) -> Workspace:
    """Return what a commit holds; nothing where it is not a workspace yet."""
    pyproject = git.file(revision, PYPROJECT)
    if pyproject is None:
        return NOTHING
    found = []
    for folder in services.members(pyproject):
        described = git.file(revision, f"{folder}/{PYPROJECT}")
        if described is None:
            raise DeliveryError(f"{folder} is in the workspace, and has no pyproject.toml.")
        found.append(services.package(folder, described))
    charts = services.charts(git.files(revision, services.CHARTS))
    return Workspace({each.name: each for each in found}, charts)


def touched(git: Git, commits: str) -> Sequence[Touched]:
    """Return the services that a range of commits touches, and that are still there.

    A FROM of zeros alone, which webhooks send for a new branch, is what was before all commits.
    """
    git.demand_history()
    before, after = ends_of(commits)
    end = git.commit(after)
    start = git.empty_tree() if set(before) == {"0"} else git.fork_of(git.commit(before), end)
    now = workspace_at(git, end)
    both = (workspace_at(git, start), now)
    paths = git.changed(start, end)
    found = ((each, _reasons(both, each, paths)) for each in now.services)
    return [
        Touched(service, sorted(reasons), services.content(reasons))
        for service, reasons in found
        if reasons
    ]


def next_version(git: Git, service: str, revision: str) -> NextVersion:
    """Return the version of what a commit holds of a service."""
    git.demand_history()
    end = git.commit(revision)
    workspace = workspace_at(git, end)
    if service not in workspace.services:
        known = ", ".join(workspace.services) or "none"
        raise DeliveryError(f"There is no service {service!r}; there are {known}.")
    return _next_version(git, workspace, service, end)


def next_versions(git: Git, revision: str) -> Sequence[NextVersion]:
    """Return the version of what a commit holds of each service."""
    git.demand_history()
    end = git.commit(revision)
    workspace = workspace_at(git, end)
    return [_next_version(git, workspace, each, end) for each in workspace.services]


def _next_version(git: Git, workspace: Workspace, service: str, end: str) -> NextVersion:
    pattern = versions.tag_of(service, "*")
    taken = versions.versions_of(service, git.tags(pattern))
    reached = versions.versions_of(service, git.tags(pattern, merged=end))
    if not reached:
        first = _first(workspace, service)
        return NextVersion(service, versions.free(first, taken), None, True)
    previous = max(reached)
    start = git.commit(f"refs/tags/{versions.tag_of(service, previous)}")
    both = (workspace_at(git, start), workspace)
    if not services.content(_reasons(both, service, git.changed(start, end))):
        return NextVersion(service, previous, previous, False)
    levels = [
        each.level
        for each in standing(git.commits(start, end))
        if services.content(_reasons(both, service, each.paths))
    ]
    return NextVersion(service, versions.next_version(previous, levels, taken), previous, True)


def _first(workspace: Workspace, service: str) -> Version:
    described = workspace.packages[service]
    version = versions.parsed(described.version)
    if version is None:
        raise DeliveryError(
            f"{described.folder}/{PYPROJECT} has the version {described.version!r},"
            " and the first one of a service is three numbers, as in 0.1.0."
        )
    return version


def _reasons(both: Sequence[Workspace], service: str, paths: frozenset[str]) -> frozenset[str]:
    """A folder may have moved, and another package be needed, on the way from one to the other."""
    return frozenset().union(*(services.touched(each, service, paths) for each in both))


def snapshot(git: Git) -> str:
    """Return a version of what stands here, committed or not: no two contents have the same."""
    try:
        pyproject = (git.root / PYPROJECT).read_text()
    except FileNotFoundError as error:
        raise DeliveryError(
            f"{git.root} has no pyproject.toml, which tells the version."
        ) from error
    parts = [
        services.project(pyproject, PYPROJECT).get("version", "0.0.0"),
        git.commit("HEAD")[:12],
    ]
    if tree := git.uncommitted():
        parts.append(tree[:8])
    return "-".join(parts)


def malformed(git: Git, commits: str) -> Sequence[Commit]:
    """Return the commits of a range whose subjects have another form than CONTRIBUTING.md says."""
    git.demand_history()
    before, after = ends_of(commits)
    found = git.commits(git.commit(before), git.commit(after))
    return [each for each in found if not is_well_formed(each.subject)]


def make_secrets(cluster: Cluster, public_url: str) -> Sequence[MadeSecret]:
    """Make the Secrets of development that are not there yet, of the values of those that are.

    The first one has all of the values, so whoever comes later, or at once, makes the others of it.
    """
    names = development_secrets.secrets_of(dict.fromkeys(STANDS_IN, ""), public_url)
    there = cluster.secrets(names)
    new: set[str] = set()
    if GENERATED not in there:
        values = development_secrets.chosen(there)
        if cluster.create(development_secrets.manifest(GENERATED, values)):
            new.add(GENERATED)
        # Somebody else may have come first, with other values.
        there = cluster.secrets(names)
    wanted = development_secrets.secrets_of(development_secrets.chosen(there), public_url)
    for name, texts in wanted.items():
        if name not in there and cluster.create(development_secrets.manifest(name, texts)):
            new.add(name)
    return [
        MadeSecret(name, name in new, development_secrets.lacking(there.get(name, texts), texts))
        for name, texts in wanted.items()
    ]
