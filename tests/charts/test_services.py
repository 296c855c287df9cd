"""Values in, objects out: what every service's chart makes of them."""

import pytest
from tests.charts.rendering import (
    DIGEST,
    SERVICES,
    UMBRELLA,
    Object,
    Values,
    containers,
    profile,
    render,
)

from consistency.use_cases import Outcome


def container(values: Values, name: str = "frontend") -> Object:
    """The only container of a service in the umbrella."""
    (found,) = render(UMBRELLA, values).pod(name)["containers"]
    return dict(found)


def settings(values: Values, name: str) -> dict[str, str]:
    """Return what a service's ConfigMap says."""
    data: dict[str, str] = render(UMBRELLA, values).one("ConfigMap", name)["data"]
    return data


@pytest.mark.parametrize(
    ("values", "image"),
    [
        ({}, "localhost:5001/conference/frontend:0.1.0"),
        (
            {"global": {"image": {"registry": "example.org:5000", "tag": "1.2.3"}}},
            "example.org:5000/conference/frontend:1.2.3",
        ),
        (
            {"global": {"image": {"tag": "1.2.3"}}, "frontend": {"image": {"tag": "1.2.4"}}},
            "localhost:5001/conference/frontend:1.2.4",
        ),
        (
            {"frontend": {"image": {"tag": "1.2.3", "digest": DIGEST}}},
            f"localhost:5001/conference/frontend@{DIGEST}",
        ),
    ],
)
def test_image_is_named_by_the_closest_value(values: Values, image: str) -> None:
    assert container(values)["image"] == image


def test_image_alone_says_its_version_and_its_commit() -> None:
    rendered = render(UMBRELLA, {"global": {"image": {"tag": "1.2.3"}}})
    for name, pod in rendered.pods():
        env = {each["name"] for one in containers(pod) for each in one.get("env", ())}
        assert not env & {"SERVICE_VERSION", "SERVICE_SOURCE"}, name
    for each in rendered.of("ConfigMap"):
        assert not each["data"].keys() & {"SERVICE_VERSION", "SERVICE_SOURCE"}


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ({}, "0.1.0"),
        ({"tag": "1.2.3"}, "1.2.3"),
        ({"tag": "1.2.3", "digest": DIGEST}, "1.2.3"),
        # The version of the chart may be another.
        ({"digest": DIGEST}, "sha256-aaaaaaaaaaaa"),
    ],
)
def test_pods_of_one_version_are_told_from_those_of_another(image: Values, version: str) -> None:
    templates = dict(render(UMBRELLA, {"frontend": {"image": image}}).templates())
    labels = templates["frontend"]["metadata"]["labels"]
    assert labels["app.kubernetes.io/version"] == version


def test_labels_of_ones_own_are_on_each_pod() -> None:
    values = {"global": {"podLabels": {"team": "talks", "app.kubernetes.io/component": "web"}}}
    for name, template in render(UMBRELLA, values).templates():
        if name in (*SERVICES, "consistency-job"):
            labels = template["metadata"]["labels"]
            assert (labels["team"], labels["job"]) == ("talks", name)
            assert labels["app.kubernetes.io/component"] == "web"


def test_pod_says_where_it_is() -> None:
    fields = {
        each["name"]: each["valueFrom"]["fieldRef"]["fieldPath"]
        for each in container({})["env"]
        if "fieldRef" in each.get("valueFrom", {})
    }
    assert fields == {
        "POD_ID": "metadata.name",
        "POD_NAMESPACE": "metadata.namespace",
        "POD_NODE_NAME": "spec.nodeName",
    }


def test_own_authorities_are_trusted_by_all_that_call_somebody() -> None:
    values = {"global": {"trust": {"configMap": "bundle", "key": "trust.pem"}}}
    rendered = render(UMBRELLA, values)
    bundle = {"name": "bundle", "items": [{"key": "trust.pem", "path": "ca.crt"}]}
    for name in (*SERVICES, "consistency-job"):
        pod = rendered.pod(name)
        assert {"name": "trust", "configMap": bundle} in pod["volumes"], name
        for each in containers(pod):
            mounts = {mount["name"]: mount["mountPath"] for mount in each["volumeMounts"]}
            assert mounts["trust"] == "/etc/trust", name
        (one,) = pod["containers"]
        env = {each["name"]: each.get("value") for each in one["env"]}
        assert env["SSL_CERT_FILE"] == "/etc/trust/ca.crt", name
        assert env["SSL_CERT_DIR"] == "/etc/trust", name
        assert env["OTEL_EXPORTER_OTLP_CERTIFICATE"] == "/etc/trust/ca.crt", name


def test_public_authorities_are_trusted_without_a_word() -> None:
    pod = render().pod("c4p-service")
    assert "trust" not in {each["name"] for each in pod["volumes"]}
    assert "SSL_CERT_FILE" not in {each["name"] for each in pod["containers"][0]["env"]}


def test_shared_value_is_overruled_by_a_services_own() -> None:
    values = {"global": {"replicas": 3}, "email-service": {"replicas": 1}}
    rendered = render(UMBRELLA, values)
    replicas = {name: rendered.one("Deployment", name)["spec"]["replicas"] for name in SERVICES}
    assert replicas == {
        "frontend": 3,
        "agenda-service": 3,
        "c4p-service": 3,
        "email-service": 1,
        "development-provider": 1,
    }


def test_every_pod_is_where_the_values_say_and_pulls_as_they_say() -> None:
    values = {
        "global": {
            "nodeSelector": {"pool": "conference"},
            "tolerations": [{"key": "conference", "operator": "Exists"}],
            "image": {"pullSecrets": [{"name": "registry"}]},
        }
    }
    for name, pod in render(UMBRELLA, values).pods():
        assert pod["nodeSelector"] == {"pool": "conference"}, name
        assert pod["tolerations"][0]["key"] == "conference", name
        assert pod["imagePullSecrets"] == [{"name": "registry"}], name


def test_false_overrules_true() -> None:
    rendered = render(UMBRELLA, {"frontend": {"podDisruptionBudget": {"enabled": False}}})
    assert "frontend" not in rendered.names("PodDisruptionBudget")
    assert "c4p-service" in rendered.names("PodDisruptionBudget")


def test_setting_of_a_number_stays_one() -> None:
    values = {"frontend": {"settings": {"MAX_BODY_BYTES": 10_000_000, "NEIGHBOUR_SECONDS": 2.5}}}
    found = settings(values, "frontend")
    assert (found["MAX_BODY_BYTES"], found["NEIGHBOUR_SECONDS"]) == ("10000000", "2.5")


def test_setting_may_be_made_of_others() -> None:
    values = {"global": {"settings": {"PUBLIC_URL": "http://conference.test"}}}
    assert settings(values, "c4p-service")["OIDC_ISSUER"] == "http://conference.test/provider"


def test_empty_setting_is_none() -> None:
    assert "OIDC_DISCOVERY_URL" not in settings(profile("managed"), "frontend")


def test_changed_setting_makes_new_pods_of_its_service_alone() -> None:
    before = render(UMBRELLA)
    after = render(UMBRELLA, {"frontend": {"settings": {"LOG_LEVEL": "debug"}}})
    changed = {
        name
        for name in SERVICES
        if before.one("Deployment", name)["spec"]["template"]
        != after.one("Deployment", name)["spec"]["template"]
    }
    assert changed == {"frontend"}


def test_changed_schedule_makes_new_pods() -> None:
    schedule = dict(profile("managed")["agenda-service"]["schedule"])
    templates = [
        render(UMBRELLA, {"agenda-service": {"schedule": {**schedule, "days": [day]}}}).one(
            "Deployment", "agenda-service"
        )["spec"]["template"]
        for day in ("2027-06-14", "2027-06-15")
    ]
    assert templates[0] != templates[1]


@pytest.mark.parametrize("name", SERVICES)
def test_probes_ask_what_the_design_says(name: str) -> None:
    probes = container({}, name)
    paths = {
        each: probes[f"{each}Probe"]["httpGet"] for each in ("startup", "liveness", "readiness")
    }
    assert paths == {
        "startup": {"path": "/livez", "port": "http"},
        "liveness": {"path": "/livez", "port": "http"},
        "readiness": {"path": "/readyz", "port": "http"},
    }


def test_grace_period_is_long_enough_for_all_that_ends() -> None:
    values = {
        "frontend": {"settings": {"SHUTDOWN_GRACE_SECONDS": 30}, "shutdown": {"drainSeconds": 7}}
    }
    pod = render(UMBRELLA, values).pod("frontend")
    assert pod["containers"][0]["lifecycle"] == {"preStop": {"sleep": {"seconds": 7}}}
    assert pod["terminationGracePeriodSeconds"] == 7 + 30 + 10


def test_rolling_update_takes_no_pod_away_before_another_is_ready() -> None:
    rendered = render()
    for name in set(SERVICES) - {"development-provider"}:
        strategy = rendered.one("Deployment", name)["spec"]["strategy"]
        assert strategy["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


def test_autoscaler_owns_the_number_of_pods() -> None:
    rendered = render(UMBRELLA, profile("development"))
    assert "replicas" not in rendered.one("Deployment", "frontend")["spec"]
    scaler = rendered.one("HorizontalPodAutoscaler", "frontend")["spec"]
    assert scaler["scaleTargetRef"]["name"] == "frontend"
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 6)
    # Not a share of what a pod asks for, which is less than a busy one takes.
    (metric,) = scaler["metrics"]
    assert metric["resource"]["target"] == {"type": "AverageValue", "averageValue": "250m"}


def test_provider_stays_one_pod_that_is_replaced_as_a_whole() -> None:
    rendered = render(UMBRELLA, {"global": {"replicas": 3, "autoscaling": {"enabled": True}}})
    spec = rendered.one("Deployment", "development-provider")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    assert "development-provider" not in rendered.names("HorizontalPodAutoscaler")


def test_migrations_run_before_c4p_service_with_its_image() -> None:
    pod = render().pod("c4p-service")
    (migration,) = pod["initContainers"]
    assert migration["command"] == ["c4p-migrate"]
    assert migration["image"] == pod["containers"][0]["image"]
    assert [each["name"] for each in migration["env"]] == ["DATABASE_URL"]


def test_route_leads_to_the_frontend_and_the_provider() -> None:
    rendered = render(UMBRELLA, {"global": {"route": {"hostnames": ["conference.test"]}}})
    ways = {
        rule["matches"][0]["path"]["value"]: rule["backendRefs"]
        for route in rendered.of("HTTPRoute")
        for rule in route["spec"]["rules"]
    }
    assert ways == {
        "/": [{"name": "frontend", "port": 8080}],
        "/provider": [{"name": "development-provider", "port": 8080}],
    }
    for route in rendered.of("HTTPRoute"):
        assert route["spec"]["parentRefs"] == [{"name": "web", "namespace": "traefik"}]
        assert route["spec"]["hostnames"] == ["conference.test"]


@pytest.mark.parametrize("host", ["conference.test", "*.conference.test"])
def test_ingress_is_the_other_way_in_to_the_frontend_and_the_provider_alone(host: str) -> None:
    values = {
        "global": {
            "route": {"enabled": False, "hostnames": [host]},
            "ingress": {"enabled": True, "className": "nginx", "tlsSecret": "tls"},
        }
    }
    rendered = render(UMBRELLA, values)
    assert not rendered.of("HTTPRoute")
    ways = {}
    for each in rendered.of("Ingress"):
        spec = each["spec"]
        assert spec["ingressClassName"] == "nginx"
        assert spec["tls"] == [{"secretName": "tls", "hosts": [host]}]
        (rule,) = spec["rules"]
        assert rule["host"] == host
        (path,) = rule["http"]["paths"]
        ways[path["path"]] = path["backend"]["service"]["name"]
    assert ways == {"/": "frontend", "/provider": "development-provider"}


def test_prometheus_finds_each_service_by_its_name() -> None:
    rendered = render(UMBRELLA, {"global": {"metrics": {"serviceMonitor": {"enabled": True}}}})
    for name in SERVICES:
        metadata = rendered.one("Deployment", name)["spec"]["template"]["metadata"]
        assert metadata["labels"]["job"] == name
        assert metadata["annotations"]["prometheus.io/scrape"] == "true"
        assert metadata["annotations"]["prometheus.io/port"] == "9090"
        monitor = rendered.one("ServiceMonitor", name)["spec"]
        service = rendered.one("Service", name)
        assert service["metadata"]["labels"][monitor["jobLabel"]] == name
        assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
        # And with them the versions of each, of which two may run at once.
        assert monitor["podTargetLabels"] == [
            "app.kubernetes.io/version",
            "pod-template-hash",
            "rollouts-pod-template-hash",
        ]


def test_consistency_job_runs_alone_and_ends() -> None:
    spec = render().one("CronJob", "consistency-job")["spec"]
    job = spec["jobTemplate"]["spec"]
    (one,) = job["template"]["spec"]["containers"]
    assert spec["concurrencyPolicy"] == "Forbid"
    assert (spec["startingDeadlineSeconds"], job["activeDeadlineSeconds"]) == (120, 300)
    assert (spec["successfulJobsHistoryLimit"], spec["failedJobsHistoryLimit"]) == (3, 3)
    assert one["args"] == ["--repair"]
    # Findings that remain are no fault of the run; a crash is, which ends Python with 1.
    (rule,) = job["podFailurePolicy"]["rules"]
    assert (rule["action"], rule["onExitCodes"]["values"]) == ("FailJob", [Outcome.FINDINGS_REMAIN])
    assert 1 not in set(Outcome)
