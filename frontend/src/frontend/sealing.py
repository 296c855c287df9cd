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


class Seal:
    """Seals values under a key for one purpose; what another purpose has sealed does not open."""

    def __init__(self, key: str, purpose: str) -> None:
        derived = hmac.digest(key.encode(), purpose.encode(), "sha256")
        self._key = OctKey.import_key(derived)

    def close(self, value: Mapping[str, Any], ends_at: datetime) -> str:
        """A URL-safe text that opens until `ends_at` (RFC 7516, direct encryption)."""
        plain = orjson.dumps({**value, _END: int(ends_at.timestamp())})
        return jwe.encrypt_compact(_HEADER, plain, self._key, algorithms=_ALGORITHMS)

    def open(self, text: str, now: datetime) -> dict[str, Any] | None:
        """What was sealed; None for what is altered, is not ours, or has ended."""
        try:
            opened = jwe.decrypt_compact(text.encode("ascii"), self._key, algorithms=_ALGORITHMS)
            value: dict[str, Any] = orjson.loads(opened.plaintext or b"")
        except (JoseError, ValueError):
            return None
        return value if value.pop(_END) > now.timestamp() else None


def restored(kind: TypeAdapter[T], value: Mapping[str, Any] | None) -> T | None:
    """The dataclass that `value` was sealed from; None where it lacks what that needs.

    During a rolling update two versions of this site read what the other one has sealed: fields
    that only the other one knows are left out.
    """
    try:
        return None if value is None else kind.validate_python(value)
    except ValidationError:
        return None
