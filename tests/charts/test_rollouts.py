"""Two versions at once: what is rendered for Argo Rollouts, and nothing of it where nobody asks."""

import copy
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from tests.charts.custom_kinds import ROLLOUT, TRAEFIK_SERVICE, Kind, complaints
from tests.charts.rendering import (
    PROFILES,
    SERVICES,
    UMBRELLA,
    Object,
    Rendered,
    Values,
    profile,
    render,
)
from tests.charts.test_refusals import merged

REPLACED = tuple(each for each in SERVICES if each != "development-provider")
"""Those of which two versions may run beside each other."""
OF_ROLLOUTS = {"Rollout", "TraefikService", "PodMonitor"}
HASH = "rollouts-pod-template-hash"


def strategy(**values: Any) -> Values:
    """The values for all services."""
    return {"global": {"strategy": values}}


CANARY = strategy(type="canary")
BLUE_GREEN = strategy(type="blueGreen")
BY_PLUGIN = strategy(type="canary", canary={"weighedBy": "gatewayApi"})
BY_PODS = strategy(type="canary", canary={"weighedBy": "pods"})
WITHOUT_A_ROUTE = merged(
    CANARY, {"global": {"route": {"enabled": False}, "ingress": {"enabled": True}}}
)
EACH = pytest.mark.parametrize(
    "values",
    [CANARY, BLUE_GREEN, BY_PLUGIN, BY_PODS, WITHOUT_A_ROUTE],
    ids=["canary", "blue-green", "by the plugin", "by pods", "without a route"],
)


def spec(rendered: Rendered, name: str, kind: str = "Rollout") -> Object:
    """Return the spec of a Rollout, or of another object of a service."""
    found: Object = rendered.one(kind, name)["spec"]
    return found


def backends(rendered: Rendered) -> list[Object]:
    """Return where the route of the frontend leads."""
    (rule,) = spec(rendered, "frontend", "HTTPRoute")["rules"]
    found: list[Object] = rule["backendRefs"]
    return found


@pytest.mark.parametrize("name", [each.stem for each in PROFILES if each.stem != "rollouts"])
def test_rolling_is_the_default_and_renders_nothing_of_rollouts(name: str) -> None:
    rendered = render(UMBRELLA, profile(name))
    assert not {each["kind"] for each in rendered.objects} & OF_ROLLOUTS
    assert "ollout" not in yaml.safe_dump([each for each in rendered.objects if _is_asked(each)])


def _is_asked(found: Object) -> bool:
    # Where an operator takes over labels it is told of both hashes; a dashboard asks for both too.
    is_dashboard = found["metadata"]["name"] == "conference-dashboards"
    return found["kind"] not in {"ServiceMonitor", "PrometheusRule"} and not is_dashboard


@EACH
def test_rollout_takes_the_place_of_the_deployment(values: Values) -> None:
    rendered = render(UMBRELLA, values)
    assert rendered.names("Rollout") == set(REPLACED)
    # The stores' neighbours, of which there is one.
    assert rendered.names("Deployment") == {"development-provider", "mail-sink"}


@EACH
def test_pods_are_those_of_the_deployment_but_for_the_hash(values: Values) -> None:
    rolling, rendered = render(), render(UMBRELLA, values)
    for name in REPLACED:
        template = copy.deepcopy(spec(rendered, name)["template"])
        for each in template["spec"]["topologySpreadConstraints"]:
            assert each["matchLabelKeys"] == [HASH]
            each["matchLabelKeys"] = ["pod-template-hash"]
        deployment = spec(rolling, name, "Deployment")
        assert template == deployment["template"]
        for key in ("replicas", "selector", "revisionHistoryLimit"):
            assert spec(rendered, name)[key] == deployment[key]


@EACH
def test_rollout_is_known_to_argo_rollouts(values: Values) -> None:
    for each in render(UMBRELLA, values).of("Rollout"):
        assert complaints(ROLLOUT, each) == []


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ({"strategy": {"canry": {}}}, "'canry' was unexpected"),
        ({"strategy": {"canary": {"steps": [{"setWieght": 1}]}}}, "'setWieght' was unexpected"),
        ({"strategy": {"canary": {"stableService": 1}}}, '1 is not of type "string"'),
        ({"template": {"spec": {"containers": [{"image": "x"}]}}}, '"name" is a required property'),
    ],
)
def test_what_rollouts_would_ignore_or_refuse_is_found(place: Object, said: str) -> None:
    known = render(UMBRELLA, CANARY).one("Rollout", "frontend")
    (found,) = complaints(ROLLOUT, {**known, "spec": {**known["spec"], **place}})
    assert said in found


def test_traefik_service_is_known_to_traefik() -> None:
    known = render(UMBRELLA, CANARY).one("TraefikService", "frontend")
    assert complaints(TRAEFIK_SERVICE, known) == []
    (found,) = complaints(TRAEFIK_SERVICE, {**known, "spec": {"weihgted": {}}})
    assert "'weihgted' was unexpected" in found


@pytest.mark.parametrize("kind", [ROLLOUT, TRAEFIK_SERVICE], ids=["Rollout", "TraefikService"])
def test_module_with_other_contents_is_refused(kind: Kind) -> None:
    other = Kind(kind.module, "h1:another", kind.file)
    with pytest.raises(AssertionError, match="is another than it was"):
        complaints(other, {})


@EACH
def test_every_service_that_a_rollout_names_is_there_and_has_no_selector_of_helms(
    values: Values,
) -> None:
    rendered = render(UMBRELLA, values)
    for name in REPLACED:
        (way,) = spec(rendered, name)["strategy"].values()
        named = {each for key, each in way.items() if key.endswith("Service")}
        assert len(named) == 2
        for each in named:
            service = spec(rendered, each, "Service")
            # Rollouts sets it; what stood here would be fought over with each upgrade.
            assert "selector" not in service
            assert {"name": "http", "port": 8080, "targetPort": "http"} in service["ports"]


def test_canary_is_called_with_all_the_others_by_the_services() -> None:
    service = spec(render(UMBRELLA, CANARY), "agenda-service", "Service")
    assert service["selector"] == {"app.kubernetes.io/name": "agenda-service"}


def test_callers_reach_the_active_version_and_the_preview_by_its_own_name() -> None:
    rendered = render(UMBRELLA, BLUE_GREEN)
    assert spec(rendered, "agenda-service")["strategy"] == {
        "blueGreen": {
            "activeService": "agenda-service",
            "previewService": "agenda-service-preview",
            "autoPromotionEnabled": True,
            "scaleDownDelaySeconds": 60,
        }
    }
    assert backends(rendered) == [{"name": "frontend", "port": 8080}]


def test_blue_green_is_promoted_by_a_person_where_the_values_say_so() -> None:
    values = strategy(
        type="blueGreen", blueGreen={"autoPromotion": False, "scaleDownDelaySeconds": 600}
    )
    way = spec(render(UMBRELLA, values), "frontend")["strategy"]["blueGreen"]
    assert (way["autoPromotionEnabled"], way["scaleDownDelaySeconds"]) == (False, 600)


def test_steps_are_those_of_the_values() -> None:
    steps = [{"setWeight": 5}, {"pause": {}}, {"setWeight": 50}, {"pause": {"duration": "90s"}}]
    rendered = render(UMBRELLA, strategy(type="canary", canary={"steps": steps}))
    assert spec(rendered, "frontend")["strategy"]["canary"]["steps"] == steps


def test_traefik_weighs_what_people_ask_and_git_has_the_weights_of_rest() -> None:
    rendered = render(UMBRELLA, CANARY)
    assert backends(rendered) == [
        {"group": "traefik.io", "kind": "TraefikService", "name": "frontend"}
    ]
    assert spec(rendered, "frontend", "TraefikService") == {
        "weighted": {
            "services": [
                {"name": "frontend-stable", "port": 8080, "weight": 100},
                {"name": "frontend-canary", "port": 8080, "weight": 0},
            ]
        }
    }
    canary = spec(rendered, "frontend")["strategy"]["canary"]
    assert canary["trafficRouting"] == {"traefik": {"weightedTraefikServiceName": "frontend"}}


def test_plugin_weighs_what_people_ask_by_the_route_itself() -> None:
    rendered = render(UMBRELLA, BY_PLUGIN)
    assert not rendered.of("TraefikService")
    assert backends(rendered) == [
        {"name": "frontend-stable", "port": 8080, "weight": 100},
        {"name": "frontend-canary", "port": 8080, "weight": 0},
    ]
    canary = spec(rendered, "frontend")["strategy"]["canary"]
    assert canary["trafficRouting"] == {
        "plugins": {"argoproj-labs/gatewayAPI": {"httpRoute": "frontend", "namespace": "here"}}
    }


@pytest.mark.parametrize("values", [CANARY, BY_PLUGIN])
def test_nothing_weighs_what_only_services_ask(values: Values) -> None:
    rendered = render(UMBRELLA, values)
    for name in set(REPLACED) - {"frontend"}:
        assert "trafficRouting" not in spec(rendered, name)["strategy"]["canary"]
        assert name not in rendered.names("TraefikService")


@pytest.mark.parametrize("values", [BY_PODS, WITHOUT_A_ROUTE])
def test_number_of_pods_weighs_where_nothing_else_does(values: Values) -> None:
    rendered = render(UMBRELLA, values)
    canary = spec(rendered, "frontend")["strategy"]["canary"]
    assert "trafficRouting" not in canary
    assert (canary["maxSurge"], canary["maxUnavailable"]) == (1, 0)
    assert not rendered.of("TraefikService")
    for route in rendered.of("HTTPRoute"):
        (rule,) = route["spec"]["rules"]
        assert rule["backendRefs"] == [{"name": route["metadata"]["name"], "port": 8080}]


@EACH
def test_autoscaler_and_budget_are_of_what_is_there(values: Values) -> None:
    rendered = render(UMBRELLA, merged(values, {"global": {"autoscaling": {"enabled": True}}}))
    for name in REPLACED:
        rollout = rendered.one("Rollout", name)
        assert "replicas" not in rollout["spec"]
        assert spec(rendered, name, "HorizontalPodAutoscaler")["scaleTargetRef"] == {
            "apiVersion": rollout["apiVersion"],
            "kind": "Rollout",
            "name": name,
        }
        budget = spec(rendered, name, "PodDisruptionBudget")
        labels: Mapping[str, str] = rollout["spec"]["template"]["metadata"]["labels"]
        assert budget["selector"]["matchLabels"].items() <= labels.items()


def test_autoscaler_of_a_deployment_is_of_the_deployment() -> None:
    rendered = render(UMBRELLA, {"global": {"autoscaling": {"enabled": True}}})
    for name in REPLACED:
        target = spec(rendered, name, "HorizontalPodAutoscaler")["scaleTargetRef"]
        assert target == {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}


@EACH
def test_prometheus_reads_each_pod_once_with_its_version_and_its_hash(values: Values) -> None:
    monitored = {"global": {"metrics": {"serviceMonitor": {"enabled": True}}}}
    rendered = render(UMBRELLA, merged(values, monitored))
    # A pod may be in three Services, or in none that has its metrics.
    assert rendered.names("ServiceMonitor") == {"development-provider"}
    for name in REPLACED:
        monitor = spec(rendered, name, "PodMonitor")
        template = spec(rendered, name)["template"]
        labels = template["metadata"]["labels"]
        assert labels[monitor["jobLabel"]] == name
        assert monitor["selector"]["matchLabels"].items() <= labels.items()
        assert monitor["podTargetLabels"] == [
            "app.kubernetes.io/version",
            "pod-template-hash",
            HASH,
        ]
        (endpoint,) = monitor["podMetricsEndpoints"]
        ports = {each["name"] for each in template["spec"]["containers"][0]["ports"]}
        assert endpoint["port"] in ports
