import pytest

from consistency.settings import JobSettings
from servicekit.settings import load

GOOD = {
    "C4P_URL": "http://c4p",
    "AGENDA_URL": "http://agenda",
    "EMAIL_URL": "http://email",
    "OIDC_ISSUER": "https://id.example.org",
    "OIDC_CLIENT_ID": "consistency-job",
    "OIDC_CLIENT_SECRET": "a secret of the job's own",
    "PUBLIC_URL": "https://conference.example.org",
    "ORGANIZERS_EMAIL": "organizers@example.org",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SETTLE_SECONDS", "STUCK_SECONDS", "REPAIR_SECONDS", "CALL_TIMEOUT_SECONDS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)


def test_settings_have_the_documented_defaults() -> None:
    settings = load(JobSettings)
    assert (settings.settle_seconds, settings.stuck_seconds) == (30, 900)


@pytest.mark.parametrize("name", GOOD)
def test_settings_name_what_is_missing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(SystemExit, match=f"^The setting {name} is missing: it is .*\\.$"):
        load(JobSettings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("C4P_URL", "c4p"),
        ("ORGANIZERS_EMAIL", "nobody"),
        ("SETTLE_SECONDS", "0"),
        ("STUCK_SECONDS", "soon"),
    ],
)
def test_settings_name_what_is_wrong(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match=f"^The setting {name} is wrong "):
        load(JobSettings)
