"""The same values render to the same objects, which GitOps needs: nothing random, nothing asked."""

import re
import shutil
from pathlib import Path

import helm_python as helm
import pytest
import yaml
from tests.charts.rendering import CHARTS, PROFILES, UMBRELLA, Values, profile, render
from tests.charts.test_refusals import merged

ENVIRONMENTS = sorted((CHARTS.parent / "environments").rglob("values.yaml"))
GITOPS: Values = {"global": {"generateSecrets": False, "checkSecrets": False}}
"""What a GitOps environment says."""
# https://helm.sh/docs/chart_template_guide/function_list/
UNREPEATABLE = re.compile(
    r"\b(lookup|rand\w+|gen[A-Z]\w+|uuidv4|now|ago|shuffle|bcrypt|htpasswd|encryptAES"
    r"|getHostByName)\b(?=[^{}]*}})"
)
FILES = pytest.mark.parametrize(
    "file", [*PROFILES, *ENVIRONMENTS], ids=lambda file: f"{file.parent.name}-{file.stem}"
)


@pytest.fixture(scope="module")
def trap(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The umbrella, in which whatever is not the same each time ends the rendering."""
    charts = tmp_path_factory.mktemp("trap") / "conference"
    shutil.copytree(UMBRELLA, charts)
    traps = 0
    for file in (*charts.rglob("*.tpl"), *charts.rglob("templates/*.yaml")):
        text, found = UNREPEATABLE.subn("fail 0", file.read_text())
        file.write_text(text)
        traps += found
    assert traps > 1, "nothing is left of what it is to catch: has it other names?"
    return charts


@FILES
def test_environment_renders_the_same_twice(file: Path) -> None:
    values = merged(yaml.safe_load(file.read_text()), GITOPS)
    assert render(UMBRELLA, values).objects == render(UMBRELLA, values).objects


@FILES
def test_environment_reaches_nothing_that_is_not_always_the_same(trap: Path, file: Path) -> None:
    values = merged(yaml.safe_load(file.read_text()), GITOPS)
    assert render(trap, values).objects == render(UMBRELLA, values).objects


@pytest.mark.parametrize("name", ["generateSecrets", "checkSecrets"])
def test_switch_leads_to_what_only_a_cluster_knows(trap: Path, name: str) -> None:
    values = merged(GITOPS, {"global": {name: True}})
    with pytest.raises(helm.HelmError, match="fail"):
        render(trap, values)


def test_production_that_helm_installs_asks_the_cluster(trap: Path) -> None:
    with pytest.raises(helm.HelmError, match="fail"):
        render(trap, profile("managed"))
