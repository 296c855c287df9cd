"""Fake neighbours, and the check that a service is closed to strangers."""

from typing import Any

import httpx2
import pytest

from testkit.access import assert_closed
from testkit.fake import Answer, Call, fake_neighbour
from testkit.issuer import Issuer


def test_fake_answers_as_it_is_told_and_keeps_what_it_was_asked() -> None:
    with fake_neighbour() as fake:
        fake.answer = lambda call: Answer(201, {"told": call.body}, {"ETag": '"1"'})
        answer = httpx2.post(f"{fake.url}/talks", json={"title": "Outboxes"}, trust_env=False)
    assert (answer.status_code, answer.headers["etag"]) == (201, '"1"')
    assert answer.json() == {"told": {"title": "Outboxes"}}
    assert [(each.method, each.path) for each in fake.calls] == [("POST", "/talks")]


def test_service_that_lets_a_stranger_in_is_found() -> None:
    paths = ("/info", "/livez", "/readyz", "/proposals")
    description: dict[str, Any] = {"paths": {path: {"get": {}} for path in paths}}

    def answer(call: Call) -> Answer:
        return Answer(200, description if call.path == "/openapi.json" else {})

    with fake_neighbour() as fake, httpx2.Client(base_url=fake.url, trust_env=False) as client:
        fake.answer = answer
        with pytest.raises((AssertionError, KeyError)):
            assert_closed(client, Issuer())
        # Nothing is closed then, which is refused too: it would prove nothing.
        with pytest.raises(AssertionError):
            assert_closed(client, Issuer(), ("GET", "/proposals"))
