"""Mistakes in a request, as a type and a sentence."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, EmailStr, Field, ValidationError

from servicekit.field_errors import field_error, field_name
from servicekit.text import Line


class Talk(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: Annotated[Line, Field(max_length=5)] = "x"
    email: EmailStr = "ada@example.org"
    level: Literal["easy", "hard"] = "easy"
    seats: Annotated[int, Field(ge=1)] = 1
    tags: Annotated[list[str], Field(min_length=2, max_length=3)] = ["a", "b"]


@pytest.mark.parametrize(
    ("data", "slug", "detail"),
    [
        ({"title": ""}, "blank", "It is empty, or nothing but blanks."),
        ({"title": " \t "}, "blank", "It is empty, or nothing but blanks."),
        ({"title": "canary"}, "too-long", "It may have 5 characters at the most."),
        ({"title": "a\x00"}, "control-characters", "control characters are not allowed"),
        ({"title": "a\nb"}, "not-one-line", "it must be a single line"),
        ({"title": 3}, "wrong-type", "Input should be a valid string"),
        ({"titel": "a"}, "unknown-field", "No such field is known; look for a typing error."),
        ({"level": "odd"}, "unknown-value", "Input should be 'easy' or 'hard'"),
        ({"seats": 0}, "out-of-range", "Input should be greater than or equal to 1"),
        ({"tags": ["a"]}, "too-short", "It needs 2 items at least."),
        ({"tags": ["a"] * 4}, "too-long", "It may have 3 items at the most."),
        ([], "wrong-type", "It has to be an object, as {…}."),
    ],
)
def test_field_error_names_the_mistake(data: Any, slug: str, detail: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Talk.model_validate(data)
    [found] = refused.value.errors()
    error = field_error({**found, "loc": ("body", *found["loc"])})
    assert (error.type, error.detail) == (f"urn:problem:field:{slug}", detail)


def test_field_error_says_what_is_wrong_with_an_address() -> None:
    with pytest.raises(ValidationError) as refused:
        Talk.model_validate({"email": "ada"})
    error = field_error(refused.value.errors()[0])
    assert error.type == "urn:problem:field:bad-address"
    assert error.detail.startswith("It is not an email address: ")


def test_field_name_is_the_one_that_clients_know() -> None:
    assert field_name(("body", "decisions", 0, "message")) == "decisions.0.message"
    assert field_name(("body",)) == "body"
