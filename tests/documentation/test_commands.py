"""Every command that the documentation names is run as it is written, or says why it is not."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from tests.acceptance.mails import Mails
from tests.documentation import commands
from tests.documentation.commands import ROOT, table
from tests.documentation.terminal import Terminal, environment, shell

from embedded import services
from embedded.home import Home
from embedded.signing_in import person_token
from testkit.service import Identities
from testkit.waiting import wait_for

DEFAULT_SITE = "http://127.0.0.1:8080"
TABLE = table()
PROBLEM = "urn:problem:"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the platform, in the place of the clone's .local."""
    return tmp_path_factory.mktemp("home") / "conference"


@pytest.fixture(scope="module")
def observed(folder: Path) -> Iterator[Terminal]:
    """The platform, by `make up OBSERVE=1`."""
    terminal = Terminal("make up OBSERVE=1", environment(folder))
    try:
        yield terminal
    finally:
        terminal.press_ctrl_c()


def files() -> list[str]:
    """Return the names of the project's files, tracked and new."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return names.rstrip("\0").split("\0")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project for what writes into it, with the packages that are installed."""
    copy = tmp_path_factory.mktemp("clone")
    for name in files():
        file = ROOT / name
        if file.is_symlink() or file.exists():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, copy / name, follow_symlinks=False)
    (copy / ".venv").symlink_to(ROOT / ".venv")
    for step in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", *step], cwd=copy, check=True)
    return copy


def documented() -> dict[str, set[str]]:
    """Return the pages that name each command, without the blocks of those that are run whole."""
    found: dict[str, set[str]] = {}
    for page, text in commands.pages():
        named = list(commands.inline_commands(text))
        if page not in TABLE.blocks_run_by:
            named += (each for block in commands.blocks(text) for each in commands.commands(block))
        for command in named:
            found.setdefault(command, set()).add(page)
    return found


def targets_of_make_test() -> set[str]:
    """Return the targets that `make test` runs, by themselves or as a part of another."""
    makefile = (ROOT / "Makefile").read_text()
    recipe = re.search(r"^test:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert recipe is not None
    targets = set(re.findall(r"\b(?:lint|test-[a-z]+)\b", recipe[1]))
    if "test-site" in targets:
        (site,) = re.findall(r"^test-site:.*\n\t(.*)$", makefile, re.MULTILINE)
        targets |= {f"test-{Path(each).name}" for each in re.findall(r"\btests/\S+", site)}
    return targets


def is_part_of_make_test(command: str) -> bool:
    """Return whether the command makes nothing but what `make test` makes, or the docs first."""
    program, *targets = command.split()
    known = targets_of_make_test() | {"docs"}
    return program == "make" and len(targets) > 0 and known.issuperset(targets)


def test_every_documented_command_is_in_the_table() -> None:
    known = TABLE.commands()
    unknown = {
        command: pages
        for command, pages in documented().items()
        if command not in known and not is_part_of_make_test(command)
    }
    assert not unknown, "tests/documentation/table.yaml does not say how these are run"


def test_table_has_no_command_that_is_not_documented() -> None:
    known = TABLE.commands()
    assert sorted(set(known) - documented().keys()) == []
    assert len(known) == len(set(known))


@pytest.mark.parametrize("file", [*TABLE.run_by, *TABLE.blocks_run_by.values()])
def test_file_that_runs_commands_exists(file: str) -> None:
    assert (ROOT / file).is_file()


def test_up_as_it_is_documented(folder: Path) -> None:
    terminal = Terminal("make up", environment(folder))
    terminal.press_ctrl_c()


def test_up_with_observers_answers_at_every_address_that_it_prints(observed: Terminal) -> None:
    addresses = observed.addresses()
    assert len(addresses) >= 10
    for address in addresses:
        answer = httpx2.get(address, follow_redirects=True, trust_env=False)
        # The provider's own address is no page.
        assert answer.status_code == 200 or address == observed.address("Identities"), address


def test_observers_are_told_the_true_addresses(observed: Terminal) -> None:
    with httpx2.Client(base_url=observed.address("Metrics"), trust_env=False) as prometheus:

        def health() -> dict[str, str]:
            targets = prometheus.get("/api/v1/targets").json()["data"]["activeTargets"]
            return {each["labels"]["job"]: each["health"] for each in targets}

        services = ("frontend", "c4p-service", "agenda-service", "email-service")
        wait_for(lambda: health() == dict.fromkeys(services, "up"), "every target to be up")


def test_demo_as_it_is_documented(observed: Terminal, folder: Path) -> None:
    said = shell("make demo", environment(folder))
    assert f"See {observed.address('Site')}/agenda" in said


def test_reset_is_refused_while_the_platform_runs(observed: Terminal, folder: Path) -> None:
    said = shell("! make reset", environment(folder))
    assert f"already runs on {observed.address('Site')}" in said


@pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl")
def test_api_page_is_right_word_for_word(observed: Terminal, folder: Path) -> None:
    text = (ROOT / "docs/use-the-api.md").read_text()
    anybody, speaker, organizer = commands.blocks(text)
    site, mails = observed.address("Site"), Mails(observed.address("Mail"))

    def run(block: str, **env: str) -> str:
        # Where somebody else has the default port, the platform has printed another one.
        script = block.replace(DEFAULT_SITE, site)
        said = shell(script, environment(folder, **env))
        assert PROBLEM not in said, said
        return said

    def submitted() -> tuple[str, str]:
        """Return the id of a new proposal and the token of its speaker."""
        identity = json.loads(run(anybody).splitlines()[-1])["id"]
        token = wait_for(
            lambda: re.search(rf"/{identity}\?token=(\S+)", "".join(confirmations())),
            "the mail with the link",
        )
        return identity, token[1]

    def confirmations() -> list[str]:
        return mails.to("ada@example.org", "We have your proposal")

    try:
        identity, token = submitted()
        assert "Outboxes, again" in run(speaker, ID=identity, TOKEN=token)
        identity, _ = submitted()
        form = {
            "name": "Olga",
            "email": "",
            "passcode": observed.passcode,
            "role": ["organizer", "reviewer"],
        }
        secret = Identities("", Home(folder).secrets().client_key).secret("frontend")
        access = person_token(site, observed.address("Identities"), secret, form)
        said = run(organizer, ID=identity, ACCESS_TOKEN=access)
        assert "Clear, and new." in said
        assert '"accepted"' in said
    finally:
        mails.close()


@pytest.mark.parametrize("command", ["consistency-job --repair"])
def test_consistency_job_as_it_is_documented(
    observed: Terminal, folder: Path, command: str
) -> None:
    _, agenda, c4p, email = re.findall(r"(http://127\S+)/openapi\.json", observed.text)
    job = services.consistency(
        60,
        urls={"agenda": agenda, "c4p": c4p, "email": email, "public": observed.address("Site")},
        identities=Identities(observed.address("Identities"), Home(folder).secrets().client_key),
    )
    path = f"{ROOT / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"
    # 3 says that findings remain, as they may while what was decided is still under way.
    shell(f"{command} || [ $? -eq 3 ]", {**job.env, "PATH": path})


def test_reset_as_it_is_documented(folder: Path, observed: Terminal) -> None:
    observed.press_ctrl_c()
    assert "Forgotten" in shell("make reset", environment(folder))
    assert not folder.exists()


def test_make_alone_lists_the_tasks(folder: Path) -> None:
    said = shell("make", environment(folder))
    assert "make up " in said
    assert "make test " in said


@pytest.mark.parametrize("command", ["make format", "make docs", "make pacts"])
def test_command_that_writes_leaves_a_fresh_clone_as_it_is(
    clone: Path, folder: Path, command: str
) -> None:
    sources = os.pathsep.join(map(str, clone.glob("*/src")))
    shell(command, environment(folder, PYTHONPATH=sources), cwd=clone)
    for name in files():
        if (ROOT / name).is_file():
            assert (clone / name).read_bytes() == (ROOT / name).read_bytes(), name
