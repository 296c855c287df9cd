"""The commands of the documentation that need a cluster, in an order in which each can work.

Afterwards the platform has been installed anew, with other secrets: this file is the last one.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from tests.cluster.cluster import RELEASE, ROOT, Cluster, Version
from tests.documentation.commands import table

INSTALLATION = f"{RELEASE} charts/conference --values values.yaml"
"""Stands where operate.md has `helm upgrade …`."""
LAST_JOB = "consistency-job-29000000"


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
    cluster.run_consistency_job(LAST_JOB)
    return folder


@pytest.fixture
def as_here(cluster: Cluster, version: Version) -> Callable[[str], str]:
    """Put the names of this cluster in the place of those that the documentation invents."""
    replaced = {
        "helm upgrade …": f"helm upgrade {INSTALLATION}",
        "deployment/…": "deployment/frontend deployment/c4p-service",
        f"namespace {RELEASE}": f"namespace {cluster.namespace}",
        "registry.example.org": version.registry,
        "global.image.tag=1.4.0": f"global.image.tag={version.tag}",
        "http://conference.test": cluster.url,
    }

    def replace(text: str) -> str:
        for invented, here in replaced.items():
            text = text.replace(invented, here)
        # The registry of a cluster for tests has no TLS.
        return f"{text} --plain-http" if "oci://" in text else text

    return replace


@pytest.mark.parametrize("text", table().run_by["tests/cluster/test_documented_commands.py"])
def test_command_as_it_is_documented(
    cluster: Cluster,
    operator: Callable[[str], str],
    workplace: Path,
    as_here: Callable[[str], str],
    text: str,
) -> None:
    if text.startswith("kubectl create namespace"):
        cluster.kubectl("delete", "namespace", cluster.namespace)
    if text.startswith("helm install"):
        cluster.helm("uninstall", RELEASE, "--ignore-not-found", "--wait")
    operator(f"cd '{workplace}'\n{as_here(text)}")
