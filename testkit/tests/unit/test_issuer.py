import json

from joserfc import jws

from testkit.issuer import Issuer


def test_issuer_gives_a_service_the_roles_that_the_test_says() -> None:
    issuer = Issuer()
    issuer.client_roles = {"c4p-service": ("agenda-writer",)}
    form = "grant_type=client_credentials&client_id=c4p-service"
    status, granted = issuer.answer("/token", form)
    assert status == 200
    claims = json.loads(jws.extract_compact(granted["access_token"].encode()).payload)
    assert (claims["sub"], claims["roles"]) == ("subject-of-c4p-service", ["agenda-writer"])


def test_issuer_publishes_its_newest_key_alone() -> None:
    issuer = Issuer()
    before = issuer.answer("/jwks")
    issuer.rotate()
    after = issuer.answer("/jwks")
    assert before != after
    assert len(after[1]["keys"]) == 1
