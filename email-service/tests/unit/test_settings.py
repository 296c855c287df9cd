import pytest
from pydantic import ValidationError

from email_service.settings import EmailSettings
from servicekit.settings import explain

GOOD = {
    "PORT": "8000",
    "METRICS_PORT": "8001",
    "OIDC_ISSUER": "https://id.example.org",
    "VALKEY_URL": "redis://valkey:6379/0",
    "SMTP_HOST": "relay",
    "SMTP_PORT": "587",
    "SMTP_TLS": "starttls",
    "MAIL_FROM": "conference@example.org",
    "CONFERENCE_NAME": "Example Conference",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)


def complaint() -> str:
    with pytest.raises(ValidationError) as caught:
        EmailSettings()
    sentences = explain(EmailSettings, caught.value)
    assert len(sentences) == 1
    return sentences[0]


def test_good_settings_are_taken() -> None:
    settings = EmailSettings()
    assert settings.smtp_timeout_seconds == 10
    assert settings.sending_lease_seconds == 30
    assert settings.smtp_username is None


@pytest.mark.parametrize("name", sorted(GOOD))
def test_missing_setting_is_named_in_a_sentence(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(name)
    assert complaint().startswith(f"The setting {name} is missing: it is ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VALKEY_URL", "http://valkey"),
        ("VALKEY_URL", "nonsense"),
        ("SMTP_PORT", "0"),
        ("SMTP_PORT", "25x"),
        ("SMTP_TLS", "ssl"),
        ("SMTP_HOST", "relay\nx"),
        ("SMTP_TIMEOUT_SECONDS", "0"),
        ("SENDING_LEASE_SECONDS", "-1"),
        ("MAIL_FROM", "conference"),
        ("CONFERENCE_NAME", "Example\nBcc: eve@example.org"),
        ("CONFERENCE_NAME", "   "),
    ],
)
def test_wrong_setting_is_named_in_a_sentence(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert complaint().startswith(f"The setting {name} is wrong ")


@pytest.mark.parametrize("name", ["SMTP_USERNAME", "SMTP_PASSWORD"])
def test_half_an_account_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "secret-value")
    assert complaint() == "Set both SMTP_USERNAME and SMTP_PASSWORD, or neither."


def test_lease_shorter_than_two_time_outs_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_TIMEOUT_SECONDS", "16")
    assert complaint().startswith("SENDING_LEASE_SECONDS must be at least twice")


def test_password_is_never_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_USERNAME", "conference")
    monkeypatch.setenv("SMTP_PASSWORD", "open-sesame")
    assert "open-sesame" not in repr(EmailSettings())
