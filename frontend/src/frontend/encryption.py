"""Values that only this site can read and make: encrypted, authenticated, and with an end."""

import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

import orjson
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from pydantic import TypeAdapter, ValidationError

_HEADER = {"alg": "dir", "enc": "A256GCM"}
_ALGORITHMS = list(_HEADER.values())
_END = "exp"

T = TypeVar("T")


class Cipher:
    """Encrypts and decrypts values under a key for one purpose; another purpose has other keys."""

    def __init__(self, key: str, purpose: str) -> None:
        derived = hmac.digest(key.encode(), purpose.encode(), "sha256")
        self._key = OctKey.import_key(derived)

    def encrypt(self, value: Mapping[str, Any], ends_at: datetime) -> str:
        """Return a URL-safe text that decrypts until `ends_at` (RFC 7516, direct encryption)."""
        plain = orjson.dumps({**value, _END: int(ends_at.timestamp())})
        return jwe.encrypt_compact(_HEADER, plain, self._key, algorithms=_ALGORITHMS)

    def decrypt(self, text: str, now: datetime) -> dict[str, Any] | None:
        """Return the value of a text; None where it was altered, is not ours, or has ended."""
        try:
            decrypted = jwe.decrypt_compact(text.encode("ascii"), self._key, algorithms=_ALGORITHMS)
            value: dict[str, Any] = orjson.loads(decrypted.plaintext or b"")
        except (JoseError, ValueError):
            return None
        return value if value.pop(_END) > now.timestamp() else None


def restored(kind: TypeAdapter[T], value: Mapping[str, Any] | None) -> T | None:
    """Return the dataclass that `value` was made from; None where it lacks what that needs.

    During a rolling update two versions of this site read what the other one has encrypted: fields
    that only the other one knows are left out.
    """
    try:
        return None if value is None else kind.validate_python(value)
    except ValidationError:
        return None
