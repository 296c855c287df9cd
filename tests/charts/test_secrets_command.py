"""`delivery secrets` makes what the umbrella would generate."""

import json
from collections.abc import Mapping

import yaml
from tests.charts.rendering import UMBRELLA, render

from delivery import development_secrets

URL = "https://conference.example.org/"


def comparable(texts: Mapping[str, str]) -> Mapping[str, object]:
    """Return the texts of a Secret, without how JSON in them is written."""
    return {key: json.loads(each) if key == "CLIENTS" else each for key, each in texts.items()}


def test_command_makes_the_secrets_that_the_umbrella_generates() -> None:
    rendered = render(UMBRELLA, {"global": {"settings": {"PUBLIC_URL": URL}}})
    generated = {each["metadata"]["name"]: each["stringData"] for each in rendered.of("Secret")}
    made = development_secrets.secrets_of(generated[development_secrets.GENERATED], URL)
    assert made.keys() == generated.keys()
    for name, texts in made.items():
        assert comparable(texts) == comparable(generated[name]), name


def test_address_without_one_is_that_of_the_umbrella() -> None:
    values = yaml.safe_load((UMBRELLA / "values.yaml").read_text())
    assert values["global"]["settings"]["PUBLIC_URL"] == "http://localhost:8080"
