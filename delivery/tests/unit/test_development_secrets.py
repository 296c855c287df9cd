"""Tests of the Secrets of development: which values they have, and where those come from."""

import json
from itertools import count

import pytest

from delivery.development_secrets import (
    GENERATED,
    STANDS_IN,
    chosen,
    lacking,
    manifest,
    random_value,
    secrets_of,
    site,
)
from delivery.problems import DeliveryError

NAMED = {name: f"the {name}" for name in STANDS_IN}
URL = "https://conference.example.org"


def test_random_values_are_long_and_refused_in_production() -> None:
    assert len({random_value() for _ in range(100)}) == 100
    assert len(random_value().removeprefix("development-")) == 40


def test_values_are_random_where_nothing_is_there() -> None:
    numbers = count()
    assert len(set(chosen({}, lambda: str(next(numbers))).values())) == len(STANDS_IN)


def test_values_that_are_there_are_taken_again() -> None:
    assert chosen({GENERATED: NAMED}) == NAMED


def test_values_are_found_where_they_are_used() -> None:
    there = {name: texts for name, texts in secrets_of(NAMED, URL).items() if name != GENERATED}
    assert chosen(there) == NAMED


def test_value_that_one_secret_lacks_is_taken_from_another() -> None:
    there = {GENERATED: {"valkey": "kept"}, "postgresql": {"password": "by hand"}}
    found = chosen(there, lambda: "new")
    assert (found["valkey"], found["postgresql"], found["passcode"]) == ("kept", "by hand", "new")


def test_generated_secret_is_made_first() -> None:
    assert next(iter(secrets_of(NAMED, URL))) == GENERATED


def test_secrets_stand_in_for_the_values() -> None:
    made = secrets_of(NAMED, URL)
    assert {name: made[secret][key] for name, (secret, key) in STANDS_IN.items()} == NAMED


@pytest.mark.parametrize("url", [URL, f"{URL}/"])
def test_clients_know_the_site_by_its_address(url: str) -> None:
    clients = json.loads(secrets_of(NAMED, url)["development-provider"]["CLIENTS"])
    (frontend,) = (each for each in clients if each["id"] == "frontend")
    assert frontend["redirect_uris"] == [f"{URL}/sign-in/callback"]
    assert frontend["signed_out_uris"] == [f"{URL}/"]


@pytest.mark.parametrize(
    "url", ["", "conference.example.org", "ftp://example.org", "http://", "http://a b"]
)
def test_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(DeliveryError, match="public URL"):
        site(url)


def test_manifest_is_a_secret() -> None:
    made = manifest("valkey", {"password": "x"})
    assert (made["kind"], made["metadata"]["name"]) == ("Secret", "valkey")
    assert made["stringData"] == {"password": "x"}


def test_keys_that_are_missing_are_named() -> None:
    assert lacking({"a": "1"}, {"b": "", "a": "", "c": ""}) == ("b", "c")
    assert lacking({"a": "1", "own": "2"}, {"a": ""}) == ()
