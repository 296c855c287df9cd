"""Renders charts and values by Helm, to objects; nothing here asks a cluster."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import helm_python as helm
import pytest
import yaml

CHARTS = Path(__file__).parents[2] / "charts"
UMBRELLA = CHARTS / "conference"
PROFILES = sorted((UMBRELLA / "ci").glob("*.yaml"))
SERVICES = ("frontend", "agenda-service", "c4p-service", "email-service", "development-provider")
"""Those that answer HTTP."""
DIGEST = "sha256:" + "a" * 64

Values = Mapping[str, Any]
Object = dict[str, Any]


class Rendered:
    """The objects of a release."""

    def __init__(self, objects: list[Object]) -> None:
        self.objects = objects

    def one(self, kind: str, name: str) -> Object:
        """The only object of that kind and name."""
        (found,) = (each for each in self.of(kind) if each["metadata"]["name"] == name)
        return found

    def of(self, kind: str) -> list[Object]:
        """All of a kind."""
        return [each for each in self.objects if each["kind"] == kind]

    def names(self, kind: str) -> set[str]:
        """Return the names of the objects of a kind."""
        return {each["metadata"]["name"] for each in self.of(kind)}

    def templates(self) -> Iterator[tuple[str, Object]]:
        """The name and the metadata and spec of every pod that comes of them, whatever makes it."""
        for each in self.objects:
            match each:
                case (
                    ({"kind": "Pod"} as template)
                    | {"spec": {"template": template}}
                    | {"spec": {"jobTemplate": {"spec": {"template": template}}}}
                ):
                    yield each["metadata"]["name"], template

    def pods(self) -> Iterator[tuple[str, Object]]:
        """The name and the spec of every pod that comes of them."""
        return ((name, template["spec"]) for name, template in self.templates())

    def pod(self, name: str) -> Object:
        """The spec of the pods that are called so."""
        (found,) = (spec for each, spec in self.pods() if each == name)
        return found


def containers(pod: Object) -> tuple[Object, ...]:
    """Those that a pod has, what runs before the others first."""
    return (*pod.get("initContainers", ()), *pod["containers"])


def render(chart: Path = UMBRELLA, values: Values | None = None) -> Rendered:
    """Return what `helm template` writes. HelmError with Helm's own words where it refuses."""
    with helm.Chart.load(chart) as loaded:
        texts = loaded.render(dict(values or {}), name="conference", namespace="here")
    manifests = (text for path, text in texts.items() if path.endswith(".yaml"))
    # By libyaml: the loader in Python takes longer than Helm.
    found = (each for text in manifests for each in yaml.load_all(text, yaml.CSafeLoader))
    return Rendered([each for each in found if each])


def refusal(chart: Path = UMBRELLA, values: Values | None = None) -> str:
    """Return what `helm install` says instead of installing."""
    helm.disable_logging()
    with (
        helm.Config(namespace="here", storage_driver="memory", kubeconfig_content="") as config,
        pytest.raises(helm.HelmError) as caught,
    ):
        config.install(chart, "conference", dict(values or {}), dry_run="client")
    return str(caught.value)


def profile(name: str) -> Values:
    """The values of one of the umbrella's profiles."""
    loaded: Values = yaml.safe_load((UMBRELLA / "ci" / f"{name}.yaml").read_text())
    return loaded
