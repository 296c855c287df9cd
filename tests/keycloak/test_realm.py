"""A new Keycloak is as the realm file says."""

import pytest
from tests.keycloak.realm import Realm
from tests.keycloak.tokens import claims

from embedded.keycloak import PEOPLE
from embedded.services import SERVICE_ROLES

WITH_ROLES = {client: roles for client, roles in SERVICE_ROLES.items() if roles}


@pytest.mark.parametrize(("client", "roles"), WITH_ROLES.items())
def test_service_gets_its_own_roles_and_no_more(
    realm: Realm, client: str, roles: tuple[str, ...]
) -> None:
    said = claims(realm.of_client(client))
    assert (said["iss"], said["aud"]) == (realm.issuer, "conference")
    assert sorted(said["roles"]) == sorted(roles)


@pytest.mark.parametrize(("name", "role"), PEOPLE.items())
def test_person_gets_a_role_a_name_and_a_verified_address(
    realm: Realm, name: str, role: str
) -> None:
    said = claims(realm.of_person(name)["access_token"])
    assert (said["iss"], said["aud"], said["azp"]) == (realm.issuer, "conference", "frontend")
    assert said.get("roles", []) == ([role] if role else [])
    assert said["name"].startswith(f"{name.capitalize()} ")
    assert (said["email"], said["email_verified"]) == (f"{name}@example.org", True)
    assert said["sub"]


def test_site_may_be_on_any_port_of_this_machine(realm: Realm) -> None:
    assert realm.of_person("sam", "http://127.0.0.1:40123/sign-in/callback")["access_token"]


@pytest.mark.parametrize(
    "elsewhere",
    [
        "http://evil.example/sign-in/callback",
        "http://127.0.0.1/",
        "http://127.0.0.1.evil.example/sign-in/callback",
        "http://127.0.0.1@evil.example/sign-in/callback",
    ],
)
def test_code_is_sent_nowhere_but_to_the_site(realm: Realm, elsewhere: str) -> None:
    refused = realm.ask_for_code(redirect_uri=elsewhere)
    assert refused.status_code == 400
    assert "location" not in refused.headers


@pytest.mark.parametrize(
    "without", [{"code_challenge": ""}, {"code_challenge_method": "plain"}], ids=["none", "plain"]
)
def test_code_is_given_only_with_pkce(realm: Realm, without: dict[str, str]) -> None:
    refused = realm.ask_for_code(**without)
    assert "error=invalid_request" in refused.headers["location"]


def test_site_takes_no_passwords_and_has_no_rights_of_its_own(realm: Realm) -> None:
    for grant_type in ("password", "client_credentials"):
        refused = realm.grant("frontend", grant_type=grant_type, username="olga", password="any")
        assert refused.json()["error"] == "unauthorized_client"


@pytest.mark.parametrize("client", WITH_ROLES)
def test_service_signs_nobody_in(realm: Realm, client: str) -> None:
    refused = realm.ask_for_code(client_id=client)
    assert refused.status_code in {400, 401, 403}
