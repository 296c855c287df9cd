"""A missing or wrong value stops the start with a sentence that names it."""

import pytest
from pydantic import Field, model_validator

from servicekit.settings import ServerSettings, load


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
