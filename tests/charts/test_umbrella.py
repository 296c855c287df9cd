"""The umbrella's additions to the services: stores, secrets, a mail sink, rules, its own test."""

import json
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import helm_python as helm
import pytest
import yaml
from tests.charts.rendering import (
    CHARTS,
    DIGEST,
    UMBRELLA,
    Object,
    Rendered,
    Values,
    containers,
    profile,
    render,
)

from embedded.services import SCOPES, SERVICE_ROLES

OBSERVABILITY = CHARTS.parent / "observability"


@pytest.fixture(scope="module")
def rendered() -> Rendered:
    """The objects that it renders of no values."""
    return render()


def secret(rendered: Rendered, name: str) -> Object:
    """The texts of a generated Secret."""
    texts: Object = rendered.one("Secret", name)["stringData"]
    return texts


def test_generated_secrets_fit_together(rendered: Rendered) -> None:
    made = secret(rendered, "conference-generated")
    clients = {
        each["id"]: each for each in json.loads(secret(rendered, "development-provider")["CLIENTS"])
    }
    for name, roles in SERVICE_ROLES.items():
        assert tuple(clients[name].get("roles", ())) == roles
        assert tuple(clients[name].get("scopes", ())) == (SCOPES if roles else ())
        assert clients[name]["secret"] == secret(rendered, name)["OIDC_CLIENT_SECRET"] == made[name]
    assert made["postgresql"] in secret(rendered, "c4p-service")["DATABASE_URL"]
    assert secret(rendered, "postgresql")["password"] == made["postgresql"]
    for name in ("frontend", "agenda-service", "email-service"):
        assert f":{made['valkey']}@valkey:6379" in secret(rendered, name)["VALKEY_URL"]
    assert len(set(made.values())) == len(made)


def test_generated_secrets_outlive_the_release_and_are_refused_in_production(
    rendered: Rendered,
) -> None:
    kept = rendered.one("Secret", "conference-generated")
    assert kept["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    # The prefix by which services know an example.
    assert all(each.startswith("development-") for each in kept["stringData"].values())


def test_rendering_without_generated_secrets_is_always_the_same_and_needs_only_those(
    rendered: Rendered,
) -> None:
    # A GitOps controller renders often, and asks no cluster for what it rendered before.
    values = {"global": {"generateSecrets": False}}
    again = render(UMBRELLA, values)
    assert again.objects == render(UMBRELLA, values).objects
    assert not again.of("Secret")
    generated = {
        (each["metadata"]["name"], key)
        for each in rendered.of("Secret")
        for key in each["stringData"]
    }
    assert set(referred(again)) <= generated


def referred(rendered: Rendered) -> Iterator[tuple[str, str]]:
    """The Secrets and keys that pods take something from."""
    for _, pod in rendered.pods():
        for container in containers(pod):
            for each in container.get("env", ()):
                if reference := each.get("valueFrom", {}).get("secretKeyRef"):
                    yield reference["name"], reference["key"]


def test_provider_knows_the_way_back_to_the_site() -> None:
    values = {"global": {"settings": {"PUBLIC_URL": "http://conference.test/"}}}
    clients = json.loads(secret(render(UMBRELLA, values), "development-provider")["CLIENTS"])
    assert clients[0]["redirect_uris"] == ["http://conference.test/sign-in/callback"]
    assert clients[0]["signed_out_uris"] == ["http://conference.test/"]


def test_managed_parts_leave_nothing_of_their_own() -> None:
    managed = render(UMBRELLA, profile("managed"))
    assert managed.names("Deployment") == {
        "frontend",
        "agenda-service",
        "c4p-service",
        "email-service",
    }
    assert managed.of("StatefulSet") == managed.of("Secret") == []
    assert managed.names("Service") == managed.names("Deployment")


def test_managed_schedule_is_what_agenda_service_reads() -> None:
    files = render(UMBRELLA, profile("managed")).one("ConfigMap", "agenda-service-files")["data"]
    assert 'days = ["2027-06-14", "2027-06-15"]' in files["schedule.toml"]


def test_postgresql_keeps_what_people_typed_out_of_its_log(rendered: Rendered) -> None:
    (container,) = rendered.pod("postgresql")["containers"]
    assert container["args"] == ["-c", "log_error_verbosity=terse"]


def test_valkey_answers_after_it_has_written(rendered: Rendered) -> None:
    (container,) = rendered.pod("valkey")["containers"]
    options = dict(zip(container["args"][::2], container["args"][1::2], strict=True))
    assert (options["--appendonly"], options["--appendfsync"]) == ("yes", "always")
    assert options["--requirepass"] == "$(REDISCLI_AUTH)"


@pytest.mark.parametrize("name", ["postgresql", "valkey"])
def test_store_keeps_its_data_on_a_volume_of_its_own(rendered: Rendered, name: str) -> None:
    (claim,) = rendered.one("StatefulSet", name)["spec"]["volumeClaimTemplates"]
    (container,) = rendered.pod(name)["containers"]
    assert claim["metadata"]["name"] in {each["name"] for each in container["volumeMounts"]}


def test_stores_take_their_password_from_the_secret_that_is_named() -> None:
    values = {
        "global": {"generateSecrets": False},
        "postgresql": {"secret": "mine"},
        "valkey": {"secret": "mine-too"},
    }
    rendered = render(UMBRELLA, values)
    for name, wanted in {"postgresql": "mine", "valkey": "mine-too"}.items():
        (container,) = rendered.pod(name)["containers"]
        (reference,) = (each["valueFrom"] for each in container["env"] if "valueFrom" in each)
        assert reference["secretKeyRef"] == {"name": wanted, "key": "password"}


@pytest.mark.parametrize(
    ("provider", "version"),
    [
        ({"enabled": True}, ":1.4.0"),
        ({"enabled": False}, ":1.4.0"),
        ({"image": {"tag": "1.5.0"}}, ":1.5.0"),
        ({"image": {"tag": "1.5.0", "digest": DIGEST}}, f"@{DIGEST}"),
    ],
)
def test_mail_sink_has_the_image_of_the_development_provider(
    provider: Values, version: str
) -> None:
    image = {"registry": "registry.test", "tag": "1.4.0"}
    values = {"global": {"image": image}, "development-provider": provider}
    (container,) = render(UMBRELLA, values).pod("mail-sink")["containers"]
    assert container["image"] == f"registry.test/conference/development-provider{version}"


def test_mail_sink_has_a_home_that_it_may_write_to(rendered: Rendered) -> None:
    (container,) = rendered.pod("mail-sink")["containers"]
    (home,) = (each["value"] for each in container["env"] if each["name"] == "HOME")
    assert home in {each["mountPath"] for each in container["volumeMounts"]}


def test_rules_and_dashboards_are_those_of_the_repository() -> None:
    rendered = render(UMBRELLA, profile("managed"))
    groups = [
        group
        for name in ("recording", "alerts")
        for group in yaml.safe_load((OBSERVABILITY / "rules" / f"{name}.yaml").read_text())[
            "groups"
        ]
    ]
    assert rendered.one("PrometheusRule", "conference")["spec"]["groups"] == groups
    data = rendered.one("ConfigMap", "conference-dashboards")["data"]
    files = (OBSERVABILITY / "dashboards").glob("*.json")
    assert {name: json.loads(text) for name, text in data.items()} == {
        file.name: json.loads(file.read_text()) for file in files
    }


def test_alerts_link_to_where_people_read_runbooks() -> None:
    at = "https://git.example.org/conference/blob/main/"
    values = {"observability": {"prometheusRule": {"enabled": True, "filesAt": at}}}
    groups = render(UMBRELLA, values).one("PrometheusRule", "conference")["spec"]["groups"]
    links = {
        rule["annotations"]["runbook_url"]
        for group in groups
        for rule in group["rules"]
        if "alert" in rule
    }
    assert links
    assert all(each.startswith(f"{at}docs/runbooks/") for each in links)


def examples() -> Iterator[Object]:
    """The values that docs/install.md shows."""
    text = (CHARTS.parent / "docs" / "install.md").read_text()
    for fenced in re.findall(r"^ *```yaml\n(.*?)```", text, re.DOTALL | re.MULTILINE):
        if "global" in (values := yaml.safe_load(dedent(fenced))):
            yield values


def test_examples_of_the_docs_are_taken() -> None:
    kinds = [{each["kind"] for each in render(UMBRELLA, each).objects} for each in examples()]
    assert ["Ingress" in each for each in kinds] == [True, False]
    assert ["PrometheusRule" in each for each in kinds] == [False, True]


def test_helm_test_hands_in_a_proposal_at_the_frontend(rendered: Rendered) -> None:
    pod = rendered.one("Pod", "conference-test")
    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
    (container,) = pod["spec"]["containers"]
    *_, script, address = container["command"]
    assert Path(script).name in rendered.one("ConfigMap", "conference-test")["data"]
    service = rendered.one("Service", "frontend")
    assert address == f"http://frontend:{service['spec']['ports'][0]['port']}"


def test_package_has_everything_and_says_the_same(tmp_path: Path) -> None:
    package = Path(helm.package(UMBRELLA, destination=tmp_path))
    values = profile("managed")
    assert render(package, values).objects == render(UMBRELLA, values).objects
    with tarfile.open(package) as archive:
        names = archive.getnames()
    assert not [name for name in names if "/tests/" in name or "/ci/" in name]
