"""Access tokens as somebody would like them to be: each of these must be refused."""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from joserfc import jws
from joserfc.jwk import RSAKey

Claims = dict[str, Any]


def read(token: str) -> tuple[Claims, Claims]:
    """The header and the claims of a token, believed as they stand there."""
    header, payload, _ = token.split(".")
    return _decoded(header), _decoded(payload)


def claims(token: str) -> Claims:
    """Return the claims of a token."""
    return read(token)[1]


def altered(token: str, **changes: Any) -> str:
    """The token with other claims under the signature that it has."""
    header, payload, signature = token.split(".")
    return ".".join((header, _encoded({**_decoded(payload), **changes}), signature))


def unsigned(token: str) -> str:
    """The token without a signature, as its header says: `alg` is none."""
    header, said = read(token)
    return ".".join((_encoded({**header, "alg": "none"}), _encoded(said), ""))


def signed_by_stranger(token: str) -> str:
    """The token under the signature of a key that has the id of the right one."""
    header, said = read(token)
    key = RSAKey.generate_key(2048)
    return jws.serialize_compact(header, json.dumps(said), key, algorithms=["RS256"])


def signed_by_public_key(token: str, keys: Mapping[str, Any]) -> str:
    """The token under a signature for which what everybody knows was taken as a shared secret.

    `keys` is the key set that the provider publishes.
    """
    header, said = read(token)
    (published,) = (each for each in keys["keys"] if each["kid"] == header["kid"])
    secret = RSAKey.import_key(published).as_pem(private=False)
    signed = f"{_encoded({**header, 'alg': 'HS256'})}.{_encoded(said)}"
    return f"{signed}.{_base64(hmac.digest(secret, signed.encode(), sha256))}"


def _decoded(part: str) -> Claims:
    found: Claims = json.loads(urlsafe_b64decode(f"{part}=="))
    return found


def _encoded(value: Claims) -> str:
    return _base64(json.dumps(value).encode())


def _base64(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()
