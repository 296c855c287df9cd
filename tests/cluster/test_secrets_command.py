"""`delivery secrets`, in a namespace of its own."""

import sys
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from tests.cluster.cluster import ROOT, Cluster, CommandError, command
from tests.documentation.commands import table

NAMESPACE = "conference-secrets"
COMMAND = Path(sys.executable).with_name("delivery")
DOCUMENTED = table().run_by["tests/cluster/test_secrets_command.py"]
NAMES = {
    "agenda-service",
    "c4p-service",
    "conference-generated",
    "consistency-job",
    "development-provider",
    "email-service",
    "frontend",
    "postgresql",
    "valkey",
}


@pytest.fixture(scope="module")
def own_namespace() -> Iterator[Cluster]:
    """A namespace for these tests."""
    command("kubectl", "delete", "namespace", NAMESPACE, "--ignore-not-found")
    command("kubectl", "create", "namespace", NAMESPACE)
    yield Cluster(NAMESPACE, "http://conference.test")
    command("kubectl", "delete", "namespace", NAMESPACE, "--wait=false")


@pytest.fixture
def namespace(own_namespace: Cluster) -> Cluster:
    """The same, with no Secret in it."""
    own_namespace.kubectl("delete", "secrets", "--all")
    return own_namespace


def secrets(cluster: Cluster) -> Mapping[str, Mapping[str, str]]:
    """Return the texts of all Secrets."""
    return {
        each["metadata"]["name"]: {
            key: b64decode(value).decode() for key, value in each["data"].items()
        }
        for each in cluster.get("secrets")["items"]
    }


def run(*arguments: str) -> Mapping[str, str]:
    """Run the command, and return what it says of each Secret."""
    lines = command(COMMAND, "secrets", NAMESPACE, *arguments).splitlines()
    return {name: state for name, _, state in (each.partition(" ") for each in lines)}


@pytest.fixture
def checked() -> Callable[[], str]:
    """Let Helm look for every key that the platform takes, as an installation does."""
    switches = ("generateSecrets=false", "checkSecrets=true", "image.registry=r", "image.tag=1.0.0")
    options = [f"--set=global.{each}" for each in switches]
    return lambda: command(
        *("helm", "install", "conference", ROOT / "charts/conference", f"--namespace={NAMESPACE}"),
        *("--dry-run=server", *options),
    )


def test_secrets_are_made_once(namespace: Cluster, checked: Callable[[], str]) -> None:
    with pytest.raises(CommandError, match="secrets"):
        checked()
    assert run() == dict.fromkeys(NAMES, "made")
    made = secrets(namespace)
    assert made.keys() == NAMES
    checked()
    assert run() == dict.fromkeys(NAMES, "was there")
    assert secrets(namespace) == made


@pytest.mark.parametrize("lost", [["conference-generated"], ["frontend", "valkey"]])
def test_lost_secret_is_made_of_those_that_are_there(namespace: Cluster, lost: list[str]) -> None:
    run()
    made = secrets(namespace)
    namespace.kubectl("delete", "secret", *lost)
    assert run() == {each: "made" if each in lost else "was there" for each in NAMES}
    assert secrets(namespace) == made


def test_secret_that_is_there_is_left_alone_and_what_it_lacks_is_named(namespace: Cluster) -> None:
    namespace.kubectl("create", "secret", "generic", "frontend", "--from-literal=SESSION_KEY=mine")
    with pytest.raises(CommandError, match="frontend has no OIDC_CLIENT_SECRET, VALKEY_URL: add"):
        run()
    made = secrets(namespace)
    assert made["frontend"] == {"SESSION_KEY": "mine"}
    assert made["conference-generated"]["session-key"] == "mine"
    assert made.keys() == NAMES


@pytest.mark.parametrize("text", DOCUMENTED)
def test_command_as_it_is_documented(namespace: Cluster, text: str) -> None:
    here = text.replace("secrets conference", f"secrets {NAMESPACE}")
    command("bash", "-euc", f"PATH='{COMMAND.parent}':$PATH\n{here}")
    assert secrets(namespace).keys() == NAMES


def test_namespace_that_is_not_there_is_refused_in_one_sentence() -> None:
    with pytest.raises(CommandError, match=r'\nkubectl says: .*namespaces "nowhere" not found\n$'):
        command(COMMAND, "secrets", "nowhere")
