"""Whatever the values, Kubernetes knows what comes of them, and no pod may do more than it must."""

import json
import re
from collections import Counter
from functools import cache
from pathlib import Path

import helm_python as helm
import kubernetes_validate
import pytest
import yaml
from tests.charts.pod_security import violations
from tests.charts.rendering import (
    CHARTS,
    DIGEST,
    PROFILES,
    UMBRELLA,
    Object,
    Rendered,
    containers,
    render,
)

LOCAL = CHARTS.parent / "environments" / "local" / "values.yaml"
KUBERNETES = ("1.30", "1.37")
"""The oldest that the charts take, and the newest that is known."""
NOT_KUBERNETES = {
    "HTTPRoute",
    "ServiceMonitor",
    "PodMonitor",
    "PrometheusRule",
    "Gateway",
    "GatewayClass",
    "Rollout",
    "TraefikService",
}
"""Kinds that are not its own; the other tests look at them."""


@pytest.fixture(scope="module", params=[*PROFILES, LOCAL], ids=lambda path: path.stem)
def profile(request: pytest.FixtureRequest) -> Path:
    """A file of values for the umbrella."""
    path: Path = request.param
    return path


@pytest.fixture(scope="module")
def rendered(profile: Path) -> Rendered:
    """The objects that are rendered of it."""
    return render(UMBRELLA, yaml.safe_load(profile.read_text()))


def invalid(objects: list[Object], version: str) -> list[str]:
    """Return what that Kubernetes would not take, a sentence each."""
    own = (each for each in objects if each["kind"] not in NOT_KUBERNETES)
    return [said for each in own if (said := complaint(json.dumps(each), version))]


@cache
def complaint(text: str, version: str) -> str:
    """Return what is wrong with an object, or nothing; most are the same in all profiles."""
    each = json.loads(text)
    try:
        kubernetes_validate.validate(each, version, strict=True)
    except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
        return f"{each['kind']} {each['metadata']['name']}: {error.message}"
    return ""


@pytest.mark.parametrize("version", KUBERNETES)
def test_profile_is_known_to_kubernetes(rendered: Rendered, version: str) -> None:
    assert invalid(rendered.objects, version) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"spec": {"prots": []}}, "'prots' was unexpected"),
        ({"spec": {"ports": [{"name": "http"}]}}, "'port' is a required property"),
        ({"spec": {"ports": [{"port": "http"}]}}, "'http' is not of type 'integer'"),
        ({"metadata": {"name": "x", "labels": {"x": 1}}}, "1 is not of type 'string'"),
        ({"kind": "Sevrice"}, "Couldn't find schema for kind Sevrice"),
        ({"apiVersion": "v1beta1"}, "Couldn't find schema for kind Service with api version v1b"),
    ],
)
@pytest.mark.parametrize("version", KUBERNETES)
def test_object_that_kubernetes_does_not_know_is_found(
    version: str, change: Object, said: str
) -> None:
    known = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}}
    (found,) = invalid([known, {**known, **change}], version)
    assert said in found


def repeated(objects: list[Object]) -> list[tuple[str, str]]:
    """The kinds and names that more than one object has."""
    counts = Counter((each["kind"], each["metadata"]["name"]) for each in objects)
    return [each for each, count in counts.items() if count > 1]


def test_profile_has_each_object_once(rendered: Rendered) -> None:
    assert repeated(rendered.objects) == []


def test_object_that_is_there_twice_is_found() -> None:
    names = [("Service", "x"), ("Service", "y"), ("Secret", "x"), ("Service", "x")]
    objects = [{"kind": kind, "metadata": {"name": name}} for kind, name in names]
    assert repeated(objects) == [("Service", "x")]


def test_profile_has_no_pod_that_may_do_more_than_it_must(rendered: Rendered) -> None:
    assert [(name, rule) for name, pod in rendered.pods() for rule in violations(pod)] == []


def unversioned(pod: Object) -> list[str]:
    """The images of a pod that name no digest, and no tag but `latest`."""
    images = [each["image"] for each in containers(pod)]
    return [each for each in images if re.search(r"(^|/)[^/:@]+(:|:latest)?$", each)]


def test_profile_names_a_version_of_each_image(rendered: Rendered) -> None:
    assert [(name, image) for name, pod in rendered.pods() for image in unversioned(pod)] == []


@pytest.mark.parametrize("part", ["initContainers", "containers"])
@pytest.mark.parametrize(
    "image",
    [
        "postgres",
        "postgres:",
        "postgres:latest",
        "valkey/valkey",
        "localhost:5001/conference/frontend",
        "localhost:5001/conference/frontend:latest",
    ],
)
def test_image_without_a_version_is_found(part: str, image: str) -> None:
    named = [
        {"image": each}
        for each in ("postgres:17", "localhost:5001/x/y:1", f"localhost:5001/x@{DIGEST}")
    ]
    assert unversioned({"containers": named, part: [*named, {"image": image}]}) == [image]


def complaints(chart: Path) -> list[str]:
    """Return what `helm lint --strict` does not let pass, a sentence each."""
    report = helm.lint(chart, strict=True, kube_version="v1.34.0")
    return [each["error"] for each in report["messages"] if each["severity"] > 1]


@pytest.mark.parametrize("chart", sorted(path.parent.name for path in CHARTS.glob("*/Chart.yaml")))
def test_chart_passes_lint(chart: str) -> None:
    assert complaints(CHARTS / chart) == []


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ .Values.none.at.all }}", "nil pointer"),
        ("a: b: c", "unable to parse YAML"),
        # What Helm only warns of.
        (
            "{apiVersion: policy/v1beta1, kind: PodDisruptionBudget, metadata: {name: x}}",
            "unavailable in v1.25+; use policy/v1",
        ),
        ("{apiVersion: v1, kind: Secret, metadata: {name: X}}", "object name does not conform"),
    ],
)
def test_broken_template_is_found(tmp_path: Path, template: str, said: str) -> None:
    helm.Chart.create("broken", tmp_path).close()
    (tmp_path / "broken" / "templates" / "broken.yaml").write_text(template)
    (found,) = complaints(tmp_path / "broken")
    assert said in found
