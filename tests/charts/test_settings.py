"""Every setting can be set, and what is rendered is what the services start with."""

from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from tests.charts.rendering import CHARTS, UMBRELLA, Object, Rendered, refusal, render

from delivery.generate.charts import SERVICES as KINDS
from delivery.generate.charts import SET_BY_THE_CHART, plain_settings, secret_settings, values
from servicekit.settings import Settings, load

EXAMPLES = {
    "boolean": True,
    "integer": 7,
    "number": 0.5,
    "string": "text",
}
NEEDED = {
    (name, field.upper())
    for name, kind in KINDS.items()
    for field, each in kind.model_fields.items()
    # The ports have a default that all charts share.
    if each.is_required() and field not in {"port", "metrics_port"}
}


def environment(rendered: Rendered, name: str) -> Mapping[str, str]:
    """Return what the container of that name finds there."""
    (container,) = rendered.pod(name)["containers"]
    (source,) = container["envFrom"]
    found = dict(rendered.one("ConfigMap", source["configMapRef"]["name"])["data"])
    found.update({each["name"]: _value(rendered, each) for each in container["env"]})
    return found


def _value(rendered: Rendered, entry: Object) -> str:
    if reference := entry.get("valueFrom", {}).get("secretKeyRef"):
        secret = rendered.one("Secret", reference["name"])
        if "data" in secret:
            return b64decode(secret["data"][reference["key"]]).decode()
        return str(secret["stringData"][reference["key"]])
    return str(entry.get("value", "from the pod"))


@pytest.mark.parametrize(("name", "kind"), KINDS.items())
def test_service_starts_with_what_the_umbrella_gives_it(
    name: str, kind: type[Settings], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rendered = render()
    for setting, value in environment(rendered, name).items():
        monkeypatch.setenv(setting, value)
    if name == "agenda-service":
        file = tmp_path / "schedule.toml"
        file.write_text(rendered.one("ConfigMap", "agenda-service-files")["data"][file.name])
        monkeypatch.setenv("SCHEDULE_FILE", str(file))
    load(kind)


@pytest.mark.parametrize(("name", "kind"), KINDS.items())
def test_every_plain_setting_reaches_its_service(name: str, kind: type[Settings]) -> None:
    wanted = {
        setting: schema.get("enum", [EXAMPLES[schema["type"]]])[-1]
        for setting, schema in plain_settings(kind).items()
    }
    wanted |= {"PROFILE": "development"}
    found = environment(render(UMBRELLA, {name: {"settings": wanted}}), name)
    for setting, value in wanted.items():
        assert found[setting] == (str(value).lower() if value is True else str(value))


@pytest.mark.parametrize("kind", KINDS.values())
def test_what_is_secret_is_in_secrets_alone(kind: type[Settings]) -> None:
    in_a_secret = secret_settings(kind)["properties"].keys()
    assert in_a_secret | SET_BY_THE_CHART >= {field.upper() for field in kind.model_fields}
    assert in_a_secret - plain_settings(kind).keys() <= {
        "CLIENTS",
        "DATABASE_URL",
        "LINK_KEY",
        "OIDC_CLIENT_SECRET",
        "PASSCODE",
        "SESSION_KEY",
        "SMTP_PASSWORD",
        "VALKEY_URL",
    }


@pytest.fixture(scope="module")
def umbrella() -> Rendered:
    """The objects that the umbrella renders of no values."""
    return render()


@pytest.mark.parametrize(("name", "setting"), sorted(NEEDED))
def test_chart_alone_says_which_setting_is_missing(
    umbrella: Rendered, name: str, setting: str
) -> None:
    given = environment(umbrella, name)
    own: Object = {
        "settings": {
            each: yaml.safe_load(given[each])
            for each in given.keys() & plain_settings(KINDS[name]).keys() - {setting}
        }
    }
    for part in ("settings", "secrets"):
        if setting in (values(name)[part] or ()):
            # Null takes a default away.
            own.setdefault(part, {})[setting] = None
    said = refusal(CHARTS / name, own)
    assert f"{name} needs settings.{setting}: see docs/settings.md." in said
