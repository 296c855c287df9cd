"""What stops the start, and with which sentence."""

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
    "SESSION_KEY": "k" * 32,
    "SIGN_IN_PASSCODE": "open sesame",
    "DATA_DIR": "/data",
    "CONFERENCE_NAME": "Example Conference",
}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)


def test_settings_load_from_a_good_environment() -> None:
    settings = load(FrontendSettings)
    assert settings.agenda_fresh_seconds == 1
    assert GOOD["SESSION_KEY"] not in repr(settings)
    assert GOOD["SIGN_IN_PASSCODE"] not in repr(settings)


@pytest.mark.parametrize("name", ["AGENDA_URL", "C4P_URL", "EMAIL_URL", "SESSION_KEY", "DATA_DIR"])
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
        ("SIGN_IN_PASSCODE", "short"),
        ("AGENDA_URL", "agenda"),
        ("AGENDA_FRESH_SECONDS", "0"),
        ("NEIGHBOUR_SECONDS", "soon"),
        ("PORT", "70000"),
    ],
)
def test_settings_wrong_stop_the_start_by_name_and_keep_the_value_secret(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match=f"The setting {name} is wrong") as stopped:
        load(FrontendSettings)
    assert repr(value) not in str(stopped.value)


def test_settings_of_production_refuse_the_development_sign_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PROFILE", "production")
    with pytest.raises(SystemExit, match="there is no sign-in outside development yet"):
        load(FrontendSettings)


def test_settings_of_production_load_without_a_passcode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROFILE", "production")
    monkeypatch.delenv("SIGN_IN_PASSCODE")
    assert load(FrontendSettings).sign_in_passcode is None
