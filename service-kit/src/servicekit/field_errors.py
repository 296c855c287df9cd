"""Errors of one field of a request: a type for programs, a sentence for people."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field


@dataclass(frozen=True, slots=True)
class FieldErrorType:
    """A kind of mistake, and what it means."""

    slug: str
    meaning: str

    @property
    def uri(self) -> str:
        """The value of `type`."""
        return f"urn:problem:field:{self.slug}"


MISSING = FieldErrorType("missing", "It is needed, and was not sent.")
BLANK = FieldErrorType("blank", "It is empty, or nothing but blanks.")
TOO_SHORT = FieldErrorType("too-short", "It has too few characters or items.")
TOO_LONG = FieldErrorType("too-long", "It has too many characters or items.")
CONTROL_CHARACTERS = FieldErrorType(
    "control-characters", "It has characters that no keyboard has, or marks that reverse text."
)
NOT_ONE_LINE = FieldErrorType("not-one-line", "It has a line break where one line is wanted.")
UNKNOWN_FIELD = FieldErrorType("unknown-field", "No such field is known; look for a typing error.")
WRONG_TYPE = FieldErrorType("wrong-type", "It is of another type, such as a number for a text.")
UNKNOWN_VALUE = FieldErrorType("unknown-value", "It is none of the values that there are.")
OUT_OF_RANGE = FieldErrorType("out-of-range", "It is too small or too large.")
BAD_ADDRESS = FieldErrorType("bad-address", "It is not an email address.")
INVALID = FieldErrorType("invalid", "It is wrong in another way, which `detail` tells.")

ALL = (
    MISSING,
    BLANK,
    TOO_SHORT,
    TOO_LONG,
    CONTROL_CHARACTERS,
    NOT_ONE_LINE,
    UNKNOWN_FIELD,
    WRONG_TYPE,
    UNKNOWN_VALUE,
    OUT_OF_RANGE,
    BAD_ADDRESS,
    INVALID,
)


class FieldError(BaseModel):
    """An error of one field of the request."""

    field: str = Field(description="the field's name, with dots where it is nested")
    type: str = Field(INVALID.uri, description="the kind of mistake, as docs/problems.md lists it")
    detail: str


# The names are pydantic's: https://docs.pydantic.dev/latest/errors/validation_errors/
_BY_NAME = {
    "missing": MISSING,
    "extra_forbidden": UNKNOWN_FIELD,
    "string_too_short": TOO_SHORT,
    "too_short": TOO_SHORT,
    "string_too_long": TOO_LONG,
    "too_long": TOO_LONG,
    "enum": UNKNOWN_VALUE,
    "literal_error": UNKNOWN_VALUE,
    "greater_than": OUT_OF_RANGE,
    "greater_than_equal": OUT_OF_RANGE,
    "less_than": OUT_OF_RANGE,
    "less_than_equal": OUT_OF_RANGE,
    "control_characters": CONTROL_CHARACTERS,
    "not_one_line": NOT_ONE_LINE,
}
_ADDRESS = "value is not a valid email address: "
_OBJECTS = ("model_type", "model_attributes_type", "dict_type")


def field_error(found: Mapping[str, Any]) -> FieldError:
    """One of the errors that pydantic found, in words that need no knowledge of it."""
    kind = _kind(found)
    return FieldError(field=field_name(found["loc"]), type=kind.uri, detail=_detail(kind, found))


def _kind(found: Mapping[str, Any]) -> FieldErrorType:
    name, message = found["type"], found["msg"]
    if name == "string_too_short" and found["ctx"]["min_length"] == 1:
        return BLANK
    if message.startswith(_ADDRESS):
        return BAD_ADDRESS
    if name.endswith(("_type", "_parsing")):
        return WRONG_TYPE
    return _BY_NAME.get(name, INVALID)


def _detail(kind: FieldErrorType, found: Mapping[str, Any]) -> str:
    message, context = found["msg"], found.get("ctx", {})
    unit = "characters" if isinstance(found.get("input"), str) else "items"
    if kind is TOO_LONG:
        return f"It may have {context['max_length']} {unit} at the most."
    if kind is TOO_SHORT:
        return f"It needs {context['min_length']} {unit} at least."
    if kind is BAD_ADDRESS:
        return f"It is not an email address: {message.removeprefix(_ADDRESS)}"
    if kind in {MISSING, BLANK, UNKNOWN_FIELD}:
        return kind.meaning
    if found["type"] in _OBJECTS:
        return "It has to be an object, as {…}."
    return str(message.removeprefix("Value error, "))


def field_name(location: tuple[int | str, ...]) -> str:
    """`body.decisions.0.message` as a client knows it: `decisions.0.message`."""
    inner = location[1:] if location[0] in {"body", "query", "path", "header"} else location
    return ".".join(str(part) for part in inner) or str(location[0])
