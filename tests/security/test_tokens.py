"""A token opens what it is for: whoever reaches a service past the site needs one too, and what one
service is sent is no use at another.
"""

from uuid import UUID

import httpx2
import pytest
from tests.acceptance.office import Answer

from embedded.platform import Platform
from embedded.services import SCOPES
from embedded.signing_in import bearer_of_person, bearer_of_program
from testkit.access import OPEN, operations
from testkit.problems import problem

PROGRAMS = ("c4p-service", "consistency-job")
OTHERS, MAIL = SCOPES
PUBLIC = {
    *OPEN,
    ("POST", "/proposals"),
    ("GET", "/cfp"),
    ("GET", "/schedule"),
    ("GET", "/sessions"),
    ("GET", f"/sessions/{UUID(int=1)}"),
}
"""What anybody may ask, whatever token they show."""


def assert_opens_nothing(url: str, token: dict[str, str]) -> None:
    with httpx2.Client(base_url=url, headers=token, timeout=10) as client:
        found = set(operations(client.get("/openapi.json").json()))
        assert found > PUBLIC & found
        for method, path in sorted(found - PUBLIC):
            assert problem(client.request(method, path)) == (401, "sign-in-required"), path


@pytest.mark.parametrize("client", PROGRAMS)
@pytest.mark.parametrize("service", ["c4p", "agenda"])
def test_what_email_service_is_sent_opens_no_other_service(
    platform: Platform, client: str, service: str
) -> None:
    sent = dict(bearer_of_program(platform, client, MAIL))
    assert httpx2.get(f"{platform.urls.email}/emails?reference=x", headers=sent).is_success
    assert_opens_nothing(getattr(platform.urls, service), sent)


def test_tokens_for_the_other_services_do_not_open_email_service(platform: Platform) -> None:
    people = bearer_of_person(platform, "organizer", "reviewer")
    for token in (people, *(bearer_of_program(platform, each, OTHERS) for each in PROGRAMS)):
        assert_opens_nothing(platform.urls.email, dict(token))


def test_program_uses_the_api_with_a_token_and_no_cookie(platform: Platform) -> None:
    olga = bearer_of_person(platform, "organizer", name="Olga")
    with httpx2.Client(base_url=platform.urls.site) as program:
        assert program.get("/api/proposals", headers=olga).is_success
        forged = {"Authorization": f"{olga['Authorization'][:-4]}AAAA"}
        assert problem(program.get("/api/proposals", headers=forged)) == (401, "sign-in-required")
        rita = bearer_of_person(platform, "reviewer", name="Rita")
        body = {"opens_at": None, "closes_at": None}
        refused = program.put("/api/cfp", json=body, headers=rita)
        assert problem(refused) == (403, "role-required")


def test_nobody_decides_by_reaching_a_service_directly(
    platform: Platform, submitted: Answer
) -> None:
    path = f"{platform.urls.c4p}/proposals/{submitted['id']}/decision"
    for headers in ({}, {"X-Actor": "Olga"}, {"Authorization": "Bearer x.y.z"}):
        answer = httpx2.post(path, json={"decision": "accepted"}, headers=headers)
        assert problem(answer) == (401, "sign-in-required")
