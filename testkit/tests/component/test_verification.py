"""A provider that does not keep a pact is found out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pact import Pact, match

from testkit.contract.consumer import JSON, made
from testkit.contract.provider import Handlers, verify
from testkit.fake import Answer, FakeNeighbour, fake_neighbour


@pytest.fixture
def pact(tmp_path: Path) -> Path:
    """A consumer's wish to read the title of a thing whose id the provider makes."""
    wish = Pact("consumer", "provider")
    (
        wish.upon_receiving("a look at a thing")
        .given("a thing")
        .with_request("GET", made("/things/1", "/things/${id}"))
        .will_respond_with(200)
        .with_body({"title": match.str("A thing")}, JSON)
    )
    wish.write_file(tmp_path)
    return tmp_path / "consumer-provider.json"


@pytest.fixture
def provider() -> Iterator[FakeNeighbour]:
    """A provider that has the thing 7."""
    with fake_neighbour() as fake:
        fake.answer = lambda call: Answer(
            200 if call.path == "/things/7" else 404,
            {"title": "Another thing", "more": 1},
            {"Content-Type": "application/json"},
        )
        yield fake


def thing() -> dict[str, Any]:
    return {"id": "7"}


def fails() -> None:
    raise RuntimeError("it could not be set up")


def test_kept_pact_passes_with_the_id_that_the_provider_has_made(
    pact: Path, provider: FakeNeighbour
) -> None:
    verify(pact, "provider", provider.url, {"a thing": thing}, lambda: None)


@pytest.mark.parametrize(
    ("known", "complaint"),
    [
        ({}, "no such state is known"),
        ({"another thing": thing}, "no such state is known"),
        ({"a thing": fails}, "it could not be set up"),
        ({"a thing": lambda: {"id": "8"}}, "status code"),
    ],
)
def test_state_that_is_not_set_up_fails(
    pact: Path, provider: FakeNeighbour, known: Handlers, complaint: str
) -> None:
    with pytest.raises(AssertionError, match=complaint):
        verify(pact, "provider", provider.url, known, lambda: None)


@pytest.mark.parametrize("body", [{"name": "Another thing"}, {"title": 7}, {"title": None}])
def test_other_answer_fails(pact: Path, provider: FakeNeighbour, body: dict[str, Any]) -> None:
    provider.answer = lambda _: Answer(200, body, {"Content-Type": "application/json"})
    with pytest.raises(AssertionError, match="title"):
        verify(pact, "provider", provider.url, {"a thing": thing}, lambda: None)


def test_state_that_is_not_forgotten_fails(pact: Path, provider: FakeNeighbour) -> None:
    resets = iter([None])
    with pytest.raises(AssertionError, match="teardown of 'a thing'"):
        verify(pact, "provider", provider.url, {"a thing": thing}, lambda: next(resets))
