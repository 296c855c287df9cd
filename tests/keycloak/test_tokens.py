"""Services judge tokens, each asked directly: to reach one opens nothing."""

from collections.abc import Callable
from uuid import uuid4

import httpx2
import pytest
from tests.acceptance.programs import program
from tests.keycloak.realm import Realm
from tests.keycloak.tokens import (
    altered,
    claims,
    read,
    signed_by_public_key,
    signed_by_stranger,
    unsigned,
)

from embedded.platform import Platform
from embedded.services import SCOPES
from testkit.problems import problem
from testkit.waiting import wait_for

NOWHERE = uuid4()
READABLE = {
    "c4p-service": "/proposals",
    "agenda-service": f"/sessions/{NOWHERE}/move",
    "email-service": f"/emails?reference={NOWHERE}",
}
"""Something of each service that the consistency job may read."""
FOR_ORGANIZERS = ("c4p-service", "agenda-service")
"""Where organizers may read it too."""
MAIL = SCOPES[1]

Ask = Callable[..., httpx2.Response]


@pytest.fixture
def ask(platform: Platform) -> Ask:
    """Asks a service without the gateway, by default for what an organizer may read."""

    def ask_service(
        service: str, token: str | None, method: str = "GET", path: str = ""
    ) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        with program(platform.url(service), headers=headers) as client:
            return client.request(method, path or READABLE[service])

    return ask_service


def is_let_in(answer: httpx2.Response) -> bool:
    """Return whether the question itself was answered: there is no session that somebody moved."""
    return answer.status_code in {200, 404}


@pytest.mark.parametrize("service", READABLE)
@pytest.mark.parametrize(
    "forge",
    [
        lambda realm: None,
        lambda realm: "nonsense",
        lambda realm: altered(realm.of_person("sam")["access_token"], roles=["organizer"]),
        lambda realm: signed_by_stranger(realm.of_person("olga")["access_token"]),
        lambda realm: signed_by_public_key(realm.of_person("olga")["access_token"], realm.keys),
        lambda realm: unsigned(realm.of_person("olga")["access_token"]),
        lambda realm: realm.of_person("olga")["id_token"],
        lambda realm: realm.of_person("olga")["refresh_token"],
        lambda realm: realm.of_other_realm(),
        lambda realm: realm.of_client("organizer-elsewhere", scope=""),
    ],
    ids=[
        "no token",
        "no JWT",
        "altered",
        "signed by a stranger",
        "signed by the public key",
        "unsigned",
        "ID token",
        "refresh token",
        "foreign issuer",
        "foreign audience",
    ],
)
def test_service_refuses_what_is_no_access_token_for_it(
    realm: Realm,
    organizer_elsewhere: None,
    ask: Ask,
    service: str,
    forge: Callable[[Realm], str | None],
) -> None:
    answer = ask(service, forge(realm))
    assert problem(answer) == (401, "sign-in-required")
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.fixture(scope="module")
def organizer_elsewhere(realm: Realm) -> None:
    """A client that is an organizer in the same realm, but not of the conference."""
    realm.add_organizer("organizer-elsewhere", audience="elsewhere")


@pytest.mark.parametrize("service", FOR_ORGANIZERS)
def test_service_takes_the_token_of_which_forgeries_are_made(
    realm: Realm, ask: Ask, service: str
) -> None:
    assert is_let_in(ask(service, realm.of_person("olga")["access_token"]))


def test_token_is_good_until_it_expires_and_no_longer(realm: Realm, ask: Ask) -> None:
    realm.add_organizer("organizer-for-a-moment", audience="conference", token_seconds=5)
    token = realm.of_client("organizer-for-a-moment", scope="")
    assert all(is_let_in(ask(service, token)) for service in FOR_ORGANIZERS)
    for service in FOR_ORGANIZERS:
        wait_for(lambda: not is_let_in(ask(service, token)), "the token to expire", 30, 0.5)  # noqa: B023
        assert problem(ask(service, token)) == (401, "sign-in-required")


@pytest.mark.parametrize(
    ("client", "service", "method", "path"),
    [
        ("c4p-service", "c4p-service", "GET", "/proposals"),
        ("c4p-service", "c4p-service", "POST", f"/proposals/{NOWHERE}/decision"),
        ("c4p-service", "agenda-service", "PUT", f"/sessions/{NOWHERE}/slot"),
        ("consistency-job", "c4p-service", "POST", f"/proposals/{NOWHERE}/decision"),
        ("consistency-job", "agenda-service", "PUT", f"/sessions/{NOWHERE}"),
        ("consistency-job", "agenda-service", "PUT", f"/sessions/{NOWHERE}/slot"),
    ],
)
def test_service_may_do_what_its_role_says_and_nothing_else(
    realm: Realm, ask: Ask, client: str, service: str, method: str, path: str
) -> None:
    answer = ask(service, realm.of_client(client), method, path)
    assert problem(answer) == (403, "role-required")


@pytest.mark.parametrize(
    ("name", "service", "method", "path"),
    [
        ("olga", "agenda-service", "PUT", f"/sessions/{NOWHERE}"),
        ("olga", "c4p-service", "PUT", "/consistency-reports"),
        ("rita", "c4p-service", "POST", f"/proposals/{NOWHERE}/decision"),
        ("rita", "c4p-service", "PUT", "/cfp"),
        ("rita", "agenda-service", "PUT", f"/sessions/{NOWHERE}/slot"),
        ("sam", "c4p-service", "GET", "/proposals"),
        ("sam", "c4p-service", "PUT", f"/proposals/{NOWHERE}/review"),
        ("sam", "agenda-service", "PUT", f"/sessions/{NOWHERE}/slot"),
    ],
)
def test_person_may_do_what_their_role_says_and_nothing_else(
    realm: Realm, ask: Ask, name: str, service: str, method: str, path: str
) -> None:
    answer = ask(service, realm.of_person(name)["access_token"], method, path)
    assert problem(answer) == (403, "role-required")


@pytest.mark.parametrize("client", ["c4p-service", "consistency-job"])
def test_token_for_email_service_is_good_there_and_nowhere_else(
    realm: Realm, ask: Ask, client: str
) -> None:
    token = realm.of_client(client, MAIL)
    assert is_let_in(ask("email-service", token))
    for service in FOR_ORGANIZERS:
        assert problem(ask(service, token)) == (401, "sign-in-required")


def test_email_service_takes_no_token_for_others(realm: Realm, ask: Ask) -> None:
    person, program = realm.of_person("olga")["access_token"], realm.of_client("consistency-job")
    for token in (person, program):
        assert problem(ask("email-service", token)) == (401, "sign-in-required")


@pytest.mark.parametrize("client", ["c4p-service", "consistency-job"])
def test_token_of_a_service_names_it(realm: Realm, client: str) -> None:
    for scope in SCOPES:
        assert claims(realm.of_client(client, scope))["name"] == client


def test_new_key_is_taken_at_once_and_the_old_one_stays_good(
    platform: Platform, realm: Realm, ask: Ask
) -> None:
    before = realm.of_client("consistency-job")
    assert all(is_let_in(ask(service, before)) for service in FOR_ORGANIZERS)
    processes = {service: platform.pid(service) for service in FOR_ORGANIZERS}
    realm.rotate_keys()
    after = realm.of_client("consistency-job")
    assert read(after)[0]["kid"] != read(before)[0]["kid"]
    for service in FOR_ORGANIZERS:
        # A service asks for keys once in ten seconds, whoever invents ids of keys.
        wait_for(lambda: is_let_in(ask(service, after)), f"{service} to know the key", 30, 0.5)  # noqa: B023
        assert is_let_in(ask(service, before))
    assert processes == {service: platform.pid(service) for service in FOR_ORGANIZERS}
