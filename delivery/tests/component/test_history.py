"""The commands' answers on real repositories, with two services in them."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from delivery.git import Git
from delivery.problems import DeliveryError
from delivery.use_cases import next_version, next_versions, snapshot, touched

COMMAND = Path(sys.executable).with_name("delivery")
WORKSPACE = """
[project]
name = "platform"
version = "0.3.0"

[tool.uv.workspace]
members = ["service-kit", "agenda-service", "frontend"]
"""


class Repository:
    """A repository, to be changed and asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str) -> str:
        """Run git, and return what it prints."""
        who = ("-c", "user.name=Grace", "-c", "user.email=grace@example.org")
        return subprocess.run(
            ["git", *who, *arguments], cwd=self.folder, check=True, capture_output=True, text=True
        ).stdout.strip()

    def write(self, path: str, text: str) -> None:
        """Write a file, and its folders."""
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text)

    def commit(self, message: str, *paths: str) -> str:
        """Commit everything, with a line more in these files; return the hash."""
        for path in paths:
            file = self.folder / path
            self.write(path, (file.read_text() if file.exists() else "") + f"# {message}\n")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", f"--message={message}")
        return self.git("rev-parse", "HEAD")

    def touched(self, commits: str) -> dict[str, list[str]]:
        """Return why a range of commits touches services, by their names."""
        return {each.service: list(each.because) for each in touched(Git(self.folder), commits)}

    def version(self, service: str = "agenda-service", at: str = "HEAD") -> str:
        """Return the version of a service."""
        return str(next_version(Git(self.folder), service, at).version)

    def delivery(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run the command here."""
        return subprocess.run(
            [COMMAND, *arguments], cwd=self.folder, check=False, capture_output=True, text=True
        )


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A workspace of service-kit and two services, committed once."""
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, "/dev/null")
    made = Repository(tmp_path / "repository")
    made.write("pyproject.toml", WORKSPACE)
    for name, needs in (
        ("service-kit", []),
        ("agenda-service", ["service-kit"]),
        ("frontend", ["service-kit"]),
    ):
        project = f'[project]\nname = "{name}"\nversion = "0.1.0"\ndependencies = {needs}\n'
        made.write(f"{name}/pyproject.toml", project)
        made.write(f"{name}/src/main.py", "")
    for name in ("agenda-service", "frontend", "library"):
        made.write(f"charts/{name}/Chart.yaml", f"name: {name}\n")
    made.commit("everything: begin")
    return made


@pytest.fixture
def tagged(repository: Repository) -> Repository:
    """The same, with 1.2.3 of both services released."""
    for name in ("agenda-service", "frontend"):
        repository.git("tag", f"{name}/v1.2.3")
    return repository


@pytest.fixture
def clone(tmp_path: Path) -> Callable[..., Path]:
    """Makes copies of a repository."""

    def make(repository: Repository, *options: str) -> Path:
        target = tmp_path / "clone"
        repository.git("clone", "--quiet", *options, f"file://{repository.folder}", str(target))
        return target

    return make


def test_folder_chart_library_and_dependency_touch(repository: Repository) -> None:
    repository.commit("agenda: a", "agenda-service/src/main.py", "README.md")
    assert repository.touched("HEAD~1..HEAD") == {"agenda-service": ["its folder"]}
    repository.commit("frontend chart: a", "charts/frontend/values.yaml")
    assert repository.touched("HEAD~1..") == {"frontend": ["its chart"]}
    repository.commit("service-kit: a", "service-kit/src/main.py")
    both = ["service-kit"]
    assert repository.touched("HEAD~1..") == {"agenda-service": both, "frontend": both}
    repository.commit("charts: a", "charts/library/values.yaml", "agenda-service/tests/x.py")
    assert repository.touched("HEAD~1..") == {
        "agenda-service": ["its tests", "the library chart"],
        "frontend": ["the library chart"],
    }
    repository.commit("docs: a", "README.md")
    assert repository.touched("HEAD~1..") == {}


def test_change_that_was_taken_back_touches_nothing(repository: Repository) -> None:
    repository.commit("agenda: a", "agenda-service/src/main.py")
    repository.git("revert", "--no-edit", "HEAD")
    assert repository.touched("HEAD~2..HEAD") == {}
    assert repository.touched("HEAD~1..HEAD") == {"agenda-service": ["its folder"]}


def test_what_others_did_meanwhile_is_not_of_the_range(repository: Repository) -> None:
    repository.git("switch", "--quiet", "--create", "change")
    repository.commit("agenda: a", "agenda-service/src/main.py")
    repository.git("switch", "--quiet", "main")
    repository.commit("frontend: a", "frontend/src/main.py")
    assert repository.touched("main..change") == {"agenda-service": ["its folder"]}
    repository.git("merge", "--quiet", "--no-edit", "change")
    assert repository.touched("HEAD~1..HEAD") == {"agenda-service": ["its folder"]}


def test_renamed_file_touches_both_of_its_places(repository: Repository) -> None:
    (repository.folder / "frontend/src/main.py").rename(
        repository.folder / "agenda-service/src/page.py"
    )
    repository.commit("agenda: take the page over")
    assert repository.touched("HEAD~1..HEAD").keys() == {"agenda-service", "frontend"}


def test_folder_that_moves_is_the_same_service(tagged: Repository) -> None:
    tagged.commit("feat(agenda): a", "agenda-service/src/main.py")
    (tagged.folder / "agenda-service").rename(tagged.folder / "agenda")
    tagged.write("pyproject.toml", WORKSPACE.replace("agenda-service", "agenda"))
    tagged.commit("agenda: a shorter folder")
    assert tagged.touched("HEAD~1..HEAD") == {"agenda-service": ["its folder"]}
    assert tagged.version() == "1.3.0"


def test_service_that_is_gone_is_not_touched(repository: Repository) -> None:
    repository.git("rm", "-r", "--quiet", "frontend", "charts/frontend")
    repository.write("pyproject.toml", WORKSPACE.replace(', "frontend"', ""))
    repository.commit("frontend: end it")
    assert repository.touched("HEAD~1..HEAD") == {}
    repository.commit("service-kit: a", "service-kit/src/main.py")
    assert repository.touched("HEAD~2..HEAD") == {"agenda-service": ["service-kit"]}


def test_range_from_nothing_touches_everything(repository: Repository) -> None:
    assert repository.touched(f"{'0' * 40}..HEAD").keys() == {"agenda-service", "frontend"}


def test_first_version_is_that_of_the_package(repository: Repository) -> None:
    assert repository.version() == "0.1.0"
    repository.commit("feat(agenda): a", "agenda-service/src/main.py")
    assert repository.version() == "0.1.0"


@pytest.mark.parametrize(
    ("message", "path", "expected"),
    [
        ("fix(agenda): a", "agenda-service/src/main.py", "1.2.4"),
        ("feat(agenda): a", "agenda-service/src/main.py", "1.3.0"),
        ("feat(agenda)!: a", "agenda-service/src/main.py", "2.0.0"),
        ("agenda: a", "agenda-service/src/main.py", "1.2.4"),
        ("Speak plainly", "charts/library/values.yaml", "1.2.4"),
        ("feat(kit): a", "service-kit/src/main.py", "1.3.0"),
        ("feat(frontend): a", "frontend/src/main.py", "1.2.3"),
        ("feat(agenda): a test", "agenda-service/tests/test_a.py", "1.2.3"),
        ("feat(docs): a", "README.md", "1.2.3"),
    ],
)
def test_version_follows_the_commits_that_touch(
    tagged: Repository, message: str, path: str, expected: str
) -> None:
    tagged.commit(message, path)
    assert tagged.version() == expected
    if expected == "1.2.3":
        assert not next_version(Git(tagged.folder), "agenda-service", "HEAD").changed


def test_version_is_of_the_commit_that_is_named(tagged: Repository) -> None:
    tagged.commit("feat(agenda): a", "agenda-service/src/main.py")
    tagged.git("tag", "--annotate", "--message=1.3.0", "agenda-service/v1.3.0")
    tagged.commit("fix(agenda): b", "agenda-service/src/main.py")
    assert [tagged.version(at=each) for each in ("HEAD", "HEAD~1", "HEAD~2")] == [
        "1.3.1",
        "1.3.0",
        "1.2.3",
    ]


def test_feature_that_was_taken_back_raises_nothing(tagged: Repository) -> None:
    tagged.commit("feat(agenda)!: a", "agenda-service/src/main.py")
    tagged.git("revert", "--no-edit", "HEAD")
    assert tagged.version() == "1.2.3"
    tagged.commit("fix(agenda): b", "agenda-service/src/main.py")
    assert tagged.version() == "1.2.4"


def test_version_of_another_branch_is_not_given_twice(tagged: Repository) -> None:
    tagged.git("switch", "--quiet", "--create", "mend")
    tagged.commit("fix(agenda): a", "agenda-service/src/main.py")
    tagged.git("tag", "agenda-service/v1.2.4")
    tagged.git("switch", "--quiet", "main")
    tagged.commit("fix(agenda): b", "agenda-service/src/main.py")
    assert tagged.version() == "1.2.5"


def test_merge_brings_the_types_of_its_commits(tagged: Repository) -> None:
    tagged.git("switch", "--quiet", "--create", "change")
    tagged.commit("feat(agenda): a", "agenda-service/src/main.py")
    tagged.git("switch", "--quiet", "main")
    tagged.commit("fix(frontend): a", "frontend/src/main.py")
    tagged.git("merge", "--quiet", "--no-edit", "change")
    found = next_versions(Git(tagged.folder), "HEAD")
    assert {each.service: str(each.version) for each in found} == {
        "agenda-service": "1.3.0",
        "frontend": "1.2.4",
    }


def test_merge_says_what_it_brings_in_its_own_subject(tagged: Repository) -> None:
    tagged.git("switch", "--quiet", "--create", "change")
    tagged.commit("wip: a", "agenda-service/src/main.py")
    tagged.git("switch", "--quiet", "main")
    tagged.git("merge", "--quiet", "--no-ff", "--message=feat(agenda): a", "change")
    assert tagged.version() == "1.3.0"


def test_snapshot_is_another_for_each_content(repository: Repository) -> None:
    git = Git(repository.folder)
    committed = snapshot(git)
    assert committed == f"0.3.0-{repository.git('rev-parse', 'HEAD')[:12]}"
    repository.write("agenda-service/src/main.py", "one\n")
    one = snapshot(git)
    repository.write("new.py", "two\n")
    two = snapshot(git)
    assert one.startswith(f"{committed}-")
    assert two.startswith(f"{committed}-")
    assert len({committed, one, two}) == 3
    assert snapshot(git) == two
    assert repository.git("diff", "--cached", "--name-only") == ""


def test_shallow_clone_is_refused(tagged: Repository, clone: Callable[..., Path]) -> None:
    tagged.commit("agenda: a", "agenda-service/src/main.py")
    git = Git(clone(tagged, "--depth=1"))
    for refused in (
        lambda: touched(git, "HEAD..HEAD"),
        lambda: next_version(git, "agenda-service", "HEAD"),
    ):
        with pytest.raises(DeliveryError, match="git fetch --unshallow --tags"):
            refused()
    assert snapshot(git).startswith("0.3.0-")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["touched", "HEAD"], "'HEAD' is no range of commits: write FROM..TO."),
        (["touched", "..HEAD"], "'..HEAD' is no range of commits: write FROM..TO."),
        (["touched", "HEAD...HEAD"], "'HEAD...HEAD' is no range of commits: write FROM..TO."),
        (["touched", "nobody..HEAD"], "This repository has no commit 'nobody'."),
        (["version", "--at", "nobody"], "This repository has no commit 'nobody'."),
        (["version", "c4p"], "There is no service 'c4p'; there are agenda-service, frontend."),
        (["commits", "HEAD~2..HEAD"], "This repository has no commit 'HEAD~2'."),
    ],
)
def test_bad_input_is_refused_in_one_sentence(
    repository: Repository, arguments: list[str], sentence: str
) -> None:
    ended = repository.delivery(*arguments)
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", f"{sentence}\n")


def test_folder_without_a_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match="no checkout"):
        Git(tmp_path)


def test_commands_print_lines_and_json_for_programs(tagged: Repository) -> None:
    tagged.commit("feat(agenda): a", "agenda-service/src/main.py")
    assert tagged.delivery("touched", "HEAD~1..").stdout == "agenda-service\n"
    assert json.loads(tagged.delivery("touched", "HEAD~1..", "--json").stdout) == [
        {"service": "agenda-service", "because": ["its folder"], "content": True}
    ]
    assert tagged.delivery("version").stdout == "agenda-service 1.3.0\nfrontend 1.2.3\n"
    assert tagged.delivery("version", "agenda-service").stdout == "1.3.0\n"
    assert tagged.delivery("snapshot").stdout == f"{snapshot(Git(tagged.folder))}\n"
    told = {"service": "frontend", "version": "1.2.3", "previous": "1.2.3", "changed": False}
    assert json.loads(tagged.delivery("version", "frontend", "--json").stdout) == [told]


def test_commits_of_another_form_are_named(repository: Repository) -> None:
    repository.commit("feat(agenda): a")
    assert repository.delivery("commits", "HEAD~1..HEAD").returncode == 0
    wrong = repository.commit("Speak plainly")
    ended = repository.delivery("commits", "HEAD~2..HEAD")
    assert (ended.returncode, ended.stdout) == (1, f"{wrong[:12]} Speak plainly\n")
    assert "area: what, and why" in ended.stderr
