"""The parts of a service."""

import pytest

from delivery.problems import DeliveryError
from delivery.services import Workspace, charts, content, members, package, touched


def described(name: str, *needs: str) -> str:
    return f'[project]\nname = "{name}"\nversion = "0.1.0"\ndependencies = {list(needs)}\n'


WORKSPACE = Workspace(
    {
        name: package(folder, described(name, *needs))
        for name, folder, needs in [
            ("agenda-service", "services/agenda", ["service-kit[valkey]>=1", "redis>=8"]),
            ("frontend", "services/frontend", ["service-kit", "wording"]),
            ("service-kit", "service-kit", ["text"]),
            ("text", "text", ["service-kit"]),
            ("wording", "wording", []),
            ("testkit", "testkit", ["service-kit"]),
        ]
    },
    frozenset({"agenda-service", "frontend", "library", "conference"}),
)


def test_service_is_a_package_with_a_chart() -> None:
    assert WORKSPACE.services == ("agenda-service", "frontend")


def test_needed_are_packages_of_the_workspace_at_any_distance() -> None:
    assert [each.name for each in WORKSPACE.needed("agenda-service")] == ["service-kit", "text"]


@pytest.mark.parametrize(
    ("path", "because"),
    [
        ("services/agenda/src/agenda/main.py", "its folder"),
        ("services/agenda/pyproject.toml", "its folder"),
        ("services/agenda/tests/unit/test_x.py", "its tests"),
        ("services/agenda/requirements-test.lock", "its tests"),
        ("services/agenda/requirements.lock", "its lock"),
        ("build.lock", "its lock"),
        ("charts/agenda-service/values.yaml", "its chart"),
        ("charts/library/templates/_pod.tpl", "the library chart"),
        ("Dockerfile", "the Dockerfile"),
        (".dockerignore", "the Dockerfile"),
        ("service-kit/src/servicekit/app.py", "service-kit"),
        ("text/pyproject.toml", "text"),
    ],
)
def test_path_touches_for_a_reason(path: str, because: str) -> None:
    assert touched(WORKSPACE, "agenda-service", [path]) == {because}


@pytest.mark.parametrize(
    "path",
    [
        "services/agenda-two/main.py",
        "services/frontend/main.py",
        "charts/agenda-service-two/values.yaml",
        "charts/conference/values.yaml",
        "service-kit/tests/unit/test_x.py",
        "wording/src/wording.py",
        "testkit/src/testkit.py",
        "requirements.lock",
        "docs/Dockerfile",
        "Makefile",
    ],
)
def test_path_of_something_else_touches_nothing(path: str) -> None:
    assert touched(WORKSPACE, "agenda-service", [path]) == frozenset()


def test_tests_alone_are_no_new_content() -> None:
    assert not content({"its tests"})
    assert not content(())
    assert content({"its tests", "service-kit"})


def test_service_that_is_not_there_is_not_touched() -> None:
    assert touched(WORKSPACE, "c4p-service", ["Dockerfile"]) == frozenset()


def test_chart_is_a_folder_with_a_chart_file() -> None:
    paths = ["charts/a/Chart.yaml", "charts/a/values.yaml", "charts/b/charts/c/Chart.yaml"]
    assert charts(paths) == {"a"}


def test_workspace_that_is_none_has_no_members() -> None:
    assert members('[project]\nname = "x"\n') == ()


@pytest.mark.parametrize(
    "text", ["[project", '[project]\nversion = "1"\n', described("x", "not a requirement !")]
)
def test_package_that_cannot_be_read_is_named(text: str) -> None:
    with pytest.raises(DeliveryError, match=r"a/pyproject\.toml"):
        package("a", text)
