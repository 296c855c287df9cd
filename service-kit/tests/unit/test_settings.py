"""A missing or wrong value stops the start with a sentence that names it."""

import pytest
from pydantic import Field, PostgresDsn, RedisDsn, SecretStr, model_validator

from servicekit.settings import ClientSettings, ServerSettings, load


class Example(ServerSettings):
    secret: str = Field(min_length=8, description="the secret, 8 characters or more")

    @model_validator(mode="after")
    def _no_example_secret(self) -> "Example":
        if self.secret == "example!":
            raise ValueError("SECRET is the one from the examples: make your own.")
        return self


GOOD = {"PORT": "8000", "METRICS_PORT": "9000", "SECRET": "long enough"}


def start(monkeypatch: pytest.MonkeyPatch, env: dict[str, str]) -> Example:
    for name in (*GOOD, "PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    return load(Example)


def sentence(monkeypatch: pytest.MonkeyPatch, env: dict[str, str]) -> str:
    with pytest.raises(SystemExit) as ended:
        start(monkeypatch, env)
    return str(ended.value)


def test_settings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert start(monkeypatch, GOOD).port == 8000


def test_profile_is_production_unless_said_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert start(monkeypatch, GOOD).profile == "production"


def test_missing_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    said = sentence(monkeypatch, {**GOOD, "SECRET": ""})
    assert said == "The setting SECRET is missing: it is the secret, 8 characters or more."


def test_wrong_setting_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    said = sentence(monkeypatch, {**GOOD, "SECRET": "hunter2"})
    assert said.startswith("The setting SECRET is wrong (")
    assert "hunter2" not in said


def test_every_wrong_setting_has_its_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    said = sentence(monkeypatch, {**GOOD, "PORT": "0", "METRICS_PORT": "x"})
    assert [line.split()[2] for line in said.splitlines()] == ["PORT", "METRICS_PORT"]


def test_rule_over_several_settings_speaks_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    said = sentence(monkeypatch, {**GOOD, "SECRET": "example!"})
    assert said == "SECRET is the one from the examples: make your own."


@pytest.mark.parametrize("value", ["0", "1e-300", "-1", "nan", "inf", "86401"])
def test_length_of_time_that_no_timer_can_wait_for_is_refused(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    said = sentence(monkeypatch, {**GOOD, "SHUTDOWN_GRACE_SECONDS": value})
    assert said.startswith("The setting SHUTDOWN_GRACE_SECONDS is wrong (")


class Client(ClientSettings):
    """The settings of a process with an identity."""

    key: SecretStr = SecretStr("its own")
    database_url: PostgresDsn | None = None
    valkey_url: RedisDsn | None = None


CLIENT = {
    "OIDC_ISSUER": "https://id.example.org/realms/conference",
    "OIDC_CLIENT_ID": "frontend",
    "OIDC_CLIENT_SECRET": "a secret of its own",
}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"OIDC_ISSUER": "http://id.example.org"}, "OIDC_ISSUER must be an https:// address"),
        ({"OIDC_DISCOVERY_URL": "http://provider:8080/x"}, "OIDC_DISCOVERY_URL must be an https"),
        ({"OIDC_DISCOVERY_URL": "provider:8080/x"}, "OIDC_DISCOVERY_URL is wrong"),
        ({"OIDC_ISSUER": "id.example.org"}, "OIDC_ISSUER is wrong"),
        ({"OIDC_ISSUER": "https://id.example.org/?x=y"}, "OIDC_ISSUER is wrong"),
        ({"OIDC_ISSUER": ""}, "OIDC_ISSUER is missing"),
        ({"OIDC_CLIENT_ID": "conference"}, "OIDC_CLIENT_ID and OIDC_AUDIENCE must differ"),
        ({"OIDC_CLIENT_SECRET": "short"}, "OIDC_CLIENT_SECRET is wrong"),
        ({"OIDC_CLIENT_SECRET": "development-frontend"}, "OIDC_CLIENT_SECRET is an example"),
        ({"KEY": "development-key"}, "KEY is an example that everybody can read"),
        ({"DATABASE_URL": "postgresql://c4p:development-c4p@db/c4p"}, "DATABASE_URL is an example"),
        ({"DATABASE_URL": "postgresql://db?password=development-x"}, "DATABASE_URL is an example"),
        (
            {"DATABASE_URL": "postgresql://c4p:own@db1,c4p:development%2Dc4p@db2/c4p"},
            "DATABASE_URL is an example",
        ),
        ({"VALKEY_URL": "redis://:development-valkey@valkey/0"}, "VALKEY_URL is an example"),
        ({"VALKEY_URL": "rediss://x:%64evelopment-v@valkey"}, "VALKEY_URL is an example"),
    ],
)
def test_production_refuses_by_name_what_is_for_development(
    monkeypatch: pytest.MonkeyPatch, changed: dict[str, str], said: str
) -> None:
    for name, value in {**CLIENT, **changed}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match=said) as ended:
        load(Client)
    assert "\n" not in str(ended.value)


def test_production_takes_passwords_of_its_own_in_addresses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = {
        "DATABASE_URL": "postgresql://development-user:own@development-host/c4p",
        "VALKEY_URL": "redis://valkey/0",
    }
    for name, value in {**CLIENT, **own}.items():
        monkeypatch.setenv(name, value)
    assert load(Client).profile == "production"


def test_development_takes_what_production_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    examples = {
        "OIDC_ISSUER": "http://127.0.0.1:8090",
        "OIDC_DISCOVERY_URL": "http://provider:8090/.well-known/openid-configuration",
        "OIDC_CLIENT_SECRET": "development-secret",
    }
    for name, value in {**CLIENT, **examples, "PROFILE": "development"}.items():
        monkeypatch.setenv(name, value)
    assert load(Client).oidc_issuer == "http://127.0.0.1:8090"
