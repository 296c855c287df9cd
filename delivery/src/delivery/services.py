"""Rules of what makes a service: its folder, the packages it needs, its chart and its lock.

A service is a package of the workspace that has a chart of its own.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from delivery.problems import DeliveryError

CHARTS = "charts"
LIBRARY = f"{CHARTS}/library"
IMAGE_FILES = ("Dockerfile", ".dockerignore")
BUILD_LOCK = "build.lock"
LOCK = "requirements.lock"
TESTS = ("tests", "requirements-test.lock")
"""What stands in the folder of a package and is in no image."""


class Because(StrEnum):
    """Return what of a service is touched, if it is no package that the service needs."""

    FOLDER = "its folder"
    TESTS = "its tests"
    LOCK = "its lock"
    CHART = "its chart"
    LIBRARY = "the library chart"
    DOCKERFILE = "the Dockerfile"


@dataclass(frozen=True, slots=True)
class Package:
    """A package of the workspace."""

    name: str
    folder: str
    version: str
    needs: frozenset[str]
    """The names of what it is installed with."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """The content of a commit: packages by their names, and the names of charts."""

    packages: Mapping[str, Package]
    charts: frozenset[str]

    @property
    def services(self) -> tuple[str, ...]:
        """The names of all services."""
        return tuple(sorted(self.packages.keys() & self.charts))

    def needed(self, service: str) -> tuple[Package, ...]:
        """Return the packages of the workspace that one needs, directly or not."""
        seen = {service}
        waiting = [service]
        while waiting:
            more = self.packages[waiting.pop()].needs & self.packages.keys() - seen
            seen |= more
            waiting += more
        return tuple(self.packages[each] for each in sorted(seen - {service}))


def members(pyproject: str) -> tuple[str, ...]:
    """Return the folders of the packages that the workspace's pyproject.toml lists."""
    workspace = _toml(pyproject, "pyproject.toml").get("tool", {}).get("uv", {}).get("workspace")
    return tuple(workspace["members"]) if workspace else ()


def package(folder: str, pyproject: str) -> Package:
    """Return the package that a pyproject.toml describes."""
    path = f"{folder}/pyproject.toml"
    described = project(pyproject, path)
    try:
        needs = {
            canonicalize_name(Requirement(each).name) for each in described.get("dependencies", ())
        }
        name = canonicalize_name(described["name"])
    except (KeyError, InvalidRequirement) as error:
        raise DeliveryError(f"{path} describes no package: {error}.") from error
    return Package(name, folder, described.get("version", ""), frozenset(needs))


def project(pyproject: str, path: str) -> dict[str, Any]:
    """Return the table `project` of a pyproject.toml."""
    found: dict[str, Any] = _toml(pyproject, path).get("project", {})
    return found


def charts(paths: Iterable[str]) -> frozenset[str]:
    """Return the names of the charts that files make."""
    parts = (each.split("/") for each in paths)
    return frozenset(each[1] for each in parts if len(each) == 3 and each[2] == "Chart.yaml")


def touched(workspace: Workspace, service: str, paths: Iterable[str]) -> frozenset[str]:
    """Return why changes at these paths touch a service; nothing where they do not."""
    if service not in workspace.services:
        return frozenset()
    return frozenset(_reasons(workspace, service, paths))


def content(reasons: Iterable[str]) -> bool:
    """Tell whether what is released is another one, and not only the tests of it."""
    return any(each != Because.TESTS for each in reasons)


def _reasons(workspace: Workspace, service: str, paths: Iterable[str]) -> Iterator[str]:
    own = workspace.packages[service].folder
    needed = workspace.needed(service)
    for path in paths:
        if path in IMAGE_FILES:
            yield Because.DOCKERFILE
        elif path in {f"{own}/{LOCK}", BUILD_LOCK}:
            yield Because.LOCK
        elif _is_test(path, own):
            yield Because.TESTS
        elif _is_in(path, own):
            yield Because.FOLDER
        elif _is_in(path, f"{CHARTS}/{service}"):
            yield Because.CHART
        elif _is_in(path, LIBRARY):
            yield Because.LIBRARY
        for each in needed:
            if _is_in(path, each.folder) and not _is_test(path, each.folder):
                yield each.name


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def _is_test(path: str, folder: str) -> bool:
    return any(_is_in(path, f"{folder}/{each}") for each in TESTS)


def _toml(text: str, path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DeliveryError(f"{path} can't be read: {error}.") from error
