"""The platform on the cluster that KUBECONFIG names, installed once from nothing."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from tests.acceptance.site import Site
from tests.cluster.cluster import ROOT, Cluster, Version, command, other_routes
from tests.cluster.visitors import Visitors

NAMESPACE = "conference-test"


@pytest.fixture(scope="session")
def version() -> Version:
    """The images that `make cluster-test` has built."""
    return Version(os.environ["REGISTRY"], os.environ["VERSION"])


@pytest.fixture(scope="session")
def empty_cluster() -> Iterator[Cluster]:
    """A namespace with nothing in it, the only one behind the Gateway; removed at the end."""
    cluster = Cluster(NAMESPACE, os.environ.get("PUBLIC_URL", "http://localhost:8080"))
    others = other_routes(NAMESPACE)
    assert not others, f"the Gateway leads to {others} already: helm uninstall what is there first"
    namespaces = (NAMESPACE, f"{NAMESPACE}-visitors")
    command("kubectl", "delete", "namespace", *namespaces, "--ignore-not-found")
    yield cluster
    if not os.environ.get("KEEP"):
        command("kubectl", "delete", "namespace", *namespaces, "--wait=false")


@pytest.fixture(scope="session")
def cluster(empty_cluster: Cluster, version: Version) -> Cluster:
    """The platform, just installed."""
    empty_cluster.deploy(version)
    return empty_cluster


@pytest.fixture(scope="session")
def site(cluster: Cluster) -> Iterator[Site]:
    """The same as its users see it."""
    passcode = cluster.secret("development-provider", "PASSCODE")
    with cluster.forwarded("service/mail-sink", 1080) as mail_url:
        yield Site(cluster.url, mail_url, passcode)


@pytest.fixture
def visitors(cluster: Cluster, version: Version, site: Site) -> Callable[[], Visitors]:
    """Lets people in, as long as a `with` lasts."""
    return lambda: Visitors(cluster, version, site.passcode)


@pytest.fixture
def operator(cluster: Cluster, tmp_path: Path) -> Callable[[str], str]:
    """Somebody at a shell in a folder of their own, who has made the namespace their context's."""
    config = tmp_path / "kubeconfig"
    config.write_text(command("kubectl", "config", "view", "--raw", "--flatten"))
    env = {"KUBECONFIG": str(config)}
    context = ("set-context", "--current", f"--namespace={cluster.namespace}")
    command("kubectl", "config", *context, env=env)
    return lambda script: command("bash", "-euc", f"cd '{tmp_path}'\n{script}", env=env)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster, version: Version) -> Path:
    """A folder with the charts and the values of the installation."""
    folder = tmp_path_factory.mktemp("operator")
    (folder / "charts").symlink_to(ROOT / "charts")
    values = yaml.safe_load((ROOT / "environments/local/values.yaml").read_text())
    everywhere = values.setdefault("global", {})
    everywhere["image"] = {"registry": version.registry, "tag": version.tag}
    everywhere.setdefault("settings", {})["PUBLIC_URL"] = cluster.url
    (folder / "values.yaml").write_text(json.dumps(values))
    return folder
