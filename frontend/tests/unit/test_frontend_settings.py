"""Settings that stop the start, each with its sentence."""

import pytest

from frontend.settings import FrontendSettings
from servicekit.settings import load

GOOD = {
    "PROFILE": "development",
    "PORT": "8000",
    "METRICS_PORT": "9000",
    "AGENDA_URL": "http://agenda:8000",
    "C4P_URL": "http://c4p:8000",
    "EMAIL_URL": "http://email:8000",
    "VALKEY_URL": "redis://valkey:6379/0",
    "SESSION_KEY": "k" * 32,
    "PUBLIC_URL": "http://127.0.0.1:8000/",
    "OIDC_ISSUER": "http://127.0.0.1:8090",
    "OIDC_CLIENT_ID": "frontend",
    "OIDC_CLIENT_SECRET": "development-frontend",
    "DATA_DIR": "/data",
    "CONFERENCE_NAME": "Example Conference",
}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)


def test_settings_load_from_a_good_environment() -> None:
    settings = load(FrontendSettings)
    assert settings.agenda_fresh_seconds == 0.5
    assert GOOD["SESSION_KEY"] not in repr(settings)
    assert GOOD["OIDC_CLIENT_SECRET"] not in repr(settings)
    assert (settings.site, settings.has_tls) == ("http://127.0.0.1:8000", False)


@pytest.mark.parametrize(
    "name", ["AGENDA_URL", "C4P_URL", "EMAIL_URL", "SESSION_KEY", "DATA_DIR", "OIDC_ISSUER"]
)
def test_settings_missing_stop_the_start_by_name(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(SystemExit, match=f"The setting {name} is missing"):
        load(FrontendSettings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SESSION_KEY", "short"),
        ("PUBLIC_URL", "conference.example.org"),
        ("AGENDA_URL", "agenda"),
        ("AGENDA_FRESH_SECONDS", "0"),
        ("NEIGHBOUR_SECONDS", "soon"),
        ("PORT", "70000"),
        ("VALKEY_URL", "valkey"),
        ("SUBMISSIONS_PER_TEN_MINUTES", "0"),
    ],
)
def test_settings_wrong_stop_the_start_by_name_and_keep_the_value_secret(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match=f"The setting {name} is wrong") as stopped:
        load(FrontendSettings)
    assert repr(value) not in str(stopped.value)


@pytest.mark.parametrize(
    "value", ["*", "10.0.0.1/8", "none, 10.0.0.1", "10.0.0.1, proxy", "0.0.0.0/0", "10.0.0.1, ::/0"]
)
def test_settings_take_proxies_by_address_only(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", value)
    with pytest.raises(SystemExit, match="The setting FORWARDED_ALLOW_IPS is wrong"):
        load(FrontendSettings)


PRODUCTION = {
    "PROFILE": "production",
    "OIDC_ISSUER": "https://id.example.org",
    "OIDC_CLIENT_SECRET": "a secret of its own",
    "PUBLIC_URL": "https://conference.example.org",
}


@pytest.mark.parametrize(
    ("said", "proxies"), [("none", []), ("10.0.0.0/8, 192.0.2.1", ["10.0.0.0/8", "192.0.2.1"])]
)
def test_settings_of_production_load_when_they_name_the_proxies(
    said: str, proxies: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**PRODUCTION, "FORWARDED_ALLOW_IPS": said}.items():
        monkeypatch.setenv(name, value)
    settings = load(FrontendSettings)
    assert (settings.has_tls, settings.proxies) == (True, proxies)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"OIDC_ISSUER": "http://x.org"}, "OIDC_ISSUER must be an https://"),
        ({"PUBLIC_URL": "http://x.org"}, "PUBLIC_URL must be an https:// address"),
        ({"FORWARDED_ALLOW_IPS": ""}, "FORWARDED_ALLOW_IPS is missing: production needs"),
        ({"SESSION_KEY": f"development-{'k' * 32}"}, "SESSION_KEY is an example"),
        ({"OIDC_CLIENT_SECRET": "development-secret"}, "OIDC_CLIENT_SECRET is an example"),
    ],
)
def test_settings_of_production_refuse_what_is_for_development(
    changed: dict[str, str], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**PRODUCTION, "FORWARDED_ALLOW_IPS": "none", **changed}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match=sentence) as stopped:
        load(FrontendSettings)
    assert len(str(stopped.value).splitlines()) == 1
