"""Values that can't work are refused in one sentence, before anything is installed."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.charts.rendering import (
    CHARTS,
    DIGEST,
    SERVICES,
    UMBRELLA,
    Values,
    profile,
    refusal,
    render,
)

from delivery.generate.charts import closed

CHART_NAMES = (*SERVICES, "consistency-job", "conference")
CONFLICTS = {
    "postgresql.enabled": {"postgresql": {"enabled": True}},
    "valkey.enabled": {"valkey": {"enabled": True}},
    "mailSink.enabled": {"mailSink": {"enabled": True}},
    "development-provider.enabled": {"development-provider": {"enabled": True}},
    "global.generateSecrets": {"global": {"generateSecrets": True}},
}


def peers(*each: object) -> Values:
    """Return who is in one of the places."""
    return {"global": {"networkPolicy": {"places": {"gateway": {"peers": list(each)}}}}}


def steps(*each: object) -> Values:
    """A canary of the frontend by these steps."""
    return {"frontend": {"strategy": {"canary": {"steps": list(each)}}}}


@pytest.mark.parametrize("chart", CHART_NAMES)
def test_unknown_value_is_refused_by_name(chart: str) -> None:
    said = refusal(CHARTS / chart, {"replicsa": 3})
    assert f"{chart}:\n- at '': additional properties 'replicsa' not allowed" in said


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"frontend": {"replicas": "many"}}, "at '/replicas': got string, want integer"),
        ({"frontend": {"replicas": -1}}, "at '/replicas': minimum: got -1, want 0"),
        ({"frontend": {"image": {"tga": "1"}}}, "at '/image': additional properties 'tga' not"),
        ({"frontend": {"image": {"digest": "sha256:1"}}}, "at '/image/digest'"),
        ({"global": {"replicsa": 3}}, "at '/global': additional properties 'replicsa' not"),
        ({"frontend": {"settings": {"PROT": 1}}}, "at '/settings': additional properties 'PROT'"),
        ({"global": {"settings": {"LOG_LEVEL": "loud"}}}, "at '/global/settings/LOG_LEVEL'"),
        (
            {"c4p-service": {"settings": {"OUTBOX_CONCURRENCY": 65}}},
            "at '/settings/OUTBOX_CONCURRENCY': maximum: got 65, want 64",
        ),
        (
            {"c4p-service": {"settings": {"LINK_KEY": "in the open"}}},
            "at '/settings': additional properties 'LINK_KEY' not allowed",
        ),
        (
            {"c4p-service": {"secrets": {"LINK_KEY": {"name": "", "key": "x"}}}},
            "at '/secrets/LINK_KEY/name': minLength",
        ),
        (
            {"agenda-service": {"schedule": {"days": ["2027-06-14"]}}},
            "properties 'timezone', 'times', 'rooms' required",
        ),
        ({"postgresql": {"storage": {"siez": "1Gi"}}}, "additional properties 'siez' not allowed"),
        ({"global": {"image": {"digest": DIGEST}}}, "additional properties 'digest' not allowed"),
        ({"global": {"image": {"tag": "1.4-"}}}, "at '/global/image/tag': '1.4-' does not match"),
        ({"global": {"tolerations": [{"kye": "x"}]}}, "at '/global/tolerations/0': additional"),
        ({"global": {"image": {"pullSecrets": [{}]}}}, "missing property 'name'"),
        ({"global": {"route": {"parentRefs": [{"nmae": "web"}]}}}, "'nmae' not allowed"),
        ({"global": {"route": {"hostnames": ["a.test:80"]}}}, "'a.test:80' does not match"),
        ({"frontend": {"resources": {"limits": {"memory": "lots"}}}}, "'lots' does not match"),
        ({"frontend": {"shutdown": {"drainSeconds": 0}}}, "at '/shutdown/drainSeconds': minimum"),
        ({"frontend": {"autoscaling": {"minReplicas": 0}}}, "at '/autoscaling/minReplicas'"),
        ({"consistency-job": {"schedule": "hourly"}}, "at '/schedule': 'hourly' does not match"),
        ({"frontend": {"strategy": {"type": "blue"}}}, "at '/strategy/type': value must be one"),
        (steps({"setWieght": 20}), "at '/strategy/canary/steps/0': additional properties"),
        (steps({}), "at '/strategy/canary/steps/0': minProperties"),
        (steps({"setWeight": 20, "pause": {}}), "at '/strategy/canary/steps/0': maxProperties"),
        (steps({"setWeight": 101}), "at '/strategy/canary/steps/0/setWeight': maximum"),
        (steps({"pause": {"duration": "2 m"}}), "'2 m' does not match pattern"),
        # Nobody in particular would be everybody.
        (peers(), "at '/global/networkPolicy/places/gateway/peers': minItems"),
        (peers({}), "at '/global/networkPolicy/places/gateway/peers/0': minProperties"),
        (peers({"podSelektor": {}}), "additional properties 'podSelektor' not allowed"),
        # What would do nothing there.
        ({"c4p-service": {"ingress": {"enabled": True}}}, "additional properties 'ingress' not"),
        ({"development-provider": {"strategy": {"type": "canary"}}}, "properties 'strategy' not"),
        ({"consistency-job": {"replicas": 2}}, "additional properties 'replicas' not allowed"),
    ],
)
def test_wrong_value_is_refused_where_it_is(values: Values, sentence: str) -> None:
    assert sentence in refusal(UMBRELLA, values)


def open_parts(schema: Any, path: str = "") -> Iterator[str]:
    """Yield where a schema lets anything in, as a path; `*` is any key or item it does not name."""
    if isinstance(schema, bool):
        if schema:
            yield path
        return
    if not schema.keys() & {"type", "enum", "$ref"}:
        yield path
    kinds, places = schema.get("type", ()), schema.get("prefixItems", [])
    if "object" in kinds:
        yield from open_parts(schema.get("additionalProperties", True), f"{path}/*")
    if "array" in kinds and schema.get("maxItems") != len(places):
        yield from open_parts(schema.get("items", True), f"{path}/*")
    parts = [schema.get(each, {}) for each in ("$defs", "properties", "patternProperties")]
    for named in (*parts, dict(enumerate(places))):
        for name, each in named.items():
            yield from open_parts(each, f"{path}/{name}")


@pytest.mark.parametrize("chart", CHART_NAMES)
def test_no_value_may_have_anything_in_it(chart: str) -> None:
    schema = json.loads((CHARTS / chart / "values.schema.json").read_text())
    # Judged by the umbrella, and by the schema of their own chart.
    elsewhere = {"global"} if chart != "conference" else {*CHART_NAMES} - {"conference"}
    assert set(open_parts(schema)) == {f"/{each}/*" for each in ("library", *elsewhere)}


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ({}, "/x"),
        (True, "/x"),
        ({"properties": {"y": {"type": "string"}}}, "/x"),
        ({"type": "object"}, "/x/*"),
        ({"type": ["object", "null"]}, "/x/*"),
        ({"type": "object", "additionalProperties": True}, "/x/*"),
        ({"type": "object", "additionalProperties": {}}, "/x/*"),
        ({"type": "object", "additionalProperties": {"type": "object"}}, "/x/*/*"),
        (closed({"y": {"type": "object"}}), "/x/y/*"),
        ({"type": "array"}, "/x/*"),
        ({"type": "array", "items": {"type": "object"}}, "/x/*/*"),
        ({"type": "array", "maxItems": 2, "prefixItems": [{"type": "string"}]}, "/x/*"),
        ({"type": "array", "maxItems": 1, "prefixItems": [{}]}, "/x/0"),
    ],
)
@pytest.mark.parametrize("part", ["properties", "$defs", "patternProperties"])
def test_open_schema_is_found(part: str, schema: object, path: str) -> None:
    others = {each: {"x": {"type": "string"}} for each in ("$defs", "properties")}
    assert list(open_parts({**closed({}), **others, part: {"x": schema}})) == [path]


def test_autoscaler_that_could_not_be_is_refused() -> None:
    values = {"frontend": {"autoscaling": {"enabled": True, "minReplicas": 3, "maxReplicas": 2}}}
    assert "frontend: autoscaling.minReplicas is 3, and maxReplicas 2" in refusal(UMBRELLA, values)


@pytest.mark.parametrize(("name", "values"), CONFLICTS.items())
def test_production_refuses_a_part_of_development(name: str, values: Values) -> None:
    said = refusal(UMBRELLA, merged(profile("managed"), values))
    assert f"{name} is for development: production needs it false" in said


@pytest.mark.parametrize("setting", ["PUBLIC_URL", "OIDC_ISSUER", "OIDC_DISCOVERY_URL"])
def test_production_refuses_an_address_without_tls(setting: str) -> None:
    values = {"global": {"settings": {setting: "http://conference.test"}}}
    said = refusal(UMBRELLA, merged(profile("managed"), values))
    assert (
        f"settings.{setting} is http://conference.test, and production needs an https:// address"
        in said
    )


def test_production_refuses_to_take_all_visitors_for_one() -> None:
    values = {"frontend": {"settings": {"FORWARDED_ALLOW_IPS": ""}}}
    said = refusal(UMBRELLA, merged(profile("managed"), values))
    assert "frontend needs settings.FORWARDED_ALLOW_IPS" in said


@pytest.mark.parametrize(
    ("store", "service", "setting"),
    [("postgresql", "c4p-service", "DATABASE_URL"), ("valkey", "email-service", "VALKEY_URL")],
)
def test_generated_secrets_refuse_a_store_with_another_password(
    store: str, service: str, setting: str
) -> None:
    values = {store: {"secret": "mine"}}
    said = refusal(UMBRELLA, values)
    assert f'{store}.secret is "mine", and the generated ' in said
    assert setting in said
    # What takes its address from elsewhere may have a password from there, too.
    users = {"postgresql": ("c4p-service",), "valkey": ("frontend", "agenda-service", service)}
    own = {each: {"secrets": {setting: {"name": "mine", "key": "url"}}} for each in users[store]}
    render(UMBRELLA, {**values, **own})
    render(UMBRELLA, {store: {"secret": "mine", "enabled": False}})


@pytest.mark.parametrize("name", ["email-service", "frontend"])
def test_generated_secrets_refuse_a_key_that_is_not_among_them(name: str) -> None:
    reference = {"name": name, "key": "SMTP_USERNAME"}
    said = refusal(UMBRELLA, {"email-service": {"secrets": {"SMTP_USERNAME": reference}}})
    assert "email-service.secrets.SMTP_USERNAME: global.generateSecrets makes no key" in said


@pytest.mark.parametrize(
    "label",
    [
        "app.kubernetes.io/name",
        "app.kubernetes.io/instance",
        "app.kubernetes.io/version",
        "app.kubernetes.io/part-of",
        "job",
        "pod-template-hash",
        "rollouts-pod-template-hash",
    ],
)
@pytest.mark.parametrize("chart", ["frontend", "consistency-job"])
def test_label_by_which_pods_are_found_is_refused(chart: str, label: str) -> None:
    said = refusal(UMBRELLA, {chart: {"podLabels": {label: "mine"}}})
    assert f"{chart}: podLabels can't set {label}, by which its pods are found." in said


def test_production_refuses_to_guess_the_schedule() -> None:
    values = dict(profile("managed"))
    del values["agenda-service"]
    assert "agenda-service needs a schedule" in refusal(UMBRELLA, values)


@pytest.mark.parametrize("chart", CHART_NAMES)
def test_kubernetes_that_is_too_old_is_refused(chart: str, tmp_path: Path) -> None:
    about = yaml.safe_load((CHARTS / chart / "Chart.yaml").read_text())
    assert about["kubeVersion"] == ">=1.30.0-0"
    # No cluster here is older than that, so the chart is made to want a newer one.
    shutil.copytree(CHARTS / chart, tmp_path / chart)
    newer = {**about, "kubeVersion": ">=1.99.0-0"}
    (tmp_path / chart / "Chart.yaml").write_text(yaml.safe_dump(newer))
    assert "chart requires kubeVersion: >=1.99.0-0 which is incompatible" in refusal(
        tmp_path / chart
    )


def merged(first: Values, second: Values) -> Values:
    """`second` over `first`, as Helm lays one file over another."""
    both = dict(first)
    for name, value in second.items():
        is_nested = isinstance(value, dict) and isinstance(both.get(name), dict)
        both[name] = merged(both[name], value) if is_nested else value
    return both
