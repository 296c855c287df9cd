"""Forms of pages: read whatever was sent, and say beside each field what is wrong."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request
from pydantic import TypeAdapter, ValidationError

from frontend.clients.client import ProblemAnswerError
from frontend.problems import CROSS_SITE
from servicekit.problems import REFUSED, UNSUPPORTED_MEDIA_TYPE, Problem
from servicekit.security import is_cross_site
from servicekit.text import Line, Paragraphs

FORM = "application/x-www-form-urlencoded"
MAX_FIELDS = 500

_LINE: TypeAdapter[str] = TypeAdapter(Line)
_PARAGRAPHS: TypeAdapter[str] = TypeAdapter(Paragraphs)


class Sent:
    """The fields of a form as they were sent; a name may come more than once."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._pairs = list(pairs)

    def get(self, name: str) -> str:
        """The first value of `name`, lines ended by a line feed; empty where it is missing."""
        return next((text.replace("\r\n", "\n") for key, text in self._pairs if key == name), "")

    def number(self, name: str) -> int | None:
        """The whole number in `name`; None where there is none of up to nine digits."""
        text = self.get(name)
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None

    def all(self, name: str) -> list[str]:
        """Every value of `name`, in order."""
        return [text for key, text in self._pairs if key == name]


async def read(request: Request) -> Sent:
    """The form that one of our own pages sent.

    Another site's form, another kind of body and text that is not UTF-8 are Problems.
    """
    if is_cross_site(request.headers):
        raise Problem(CROSS_SITE, "Another site sent this form; nothing was changed.")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await request.body()
    if kind != FORM and body:
        raise Problem(UNSUPPORTED_MEDIA_TYPE, f"A form comes as {FORM}.")
    try:
        text = body.decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise Problem(REFUSED, "The form can't be read; nothing was changed.") from error
    return Sent(pairs)


TheForm = Annotated[Sent, Depends(read)]
"""The type of a parameter by which a route takes a form; no page takes one in another way, so none
forgets to refuse other sites.
"""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of text; `ask` is what a person reads who left it empty."""

    name: str
    ask: str
    limit: int
    is_long: bool = False
    pattern: str = ""
    """What it must look like, if that matters; then `ask` is also said where it does not."""

    def error(self, text: str) -> str | None:
        """Return what is wrong with `text`, as a sentence."""
        text = text.strip()
        if not text:
            return self.ask
        if self.pattern and not re.fullmatch(self.pattern, text):
            return self.ask
        if len(text) > self.limit:
            return f"Use at most {self.limit:,} characters; these are {len(text):,}."
        try:
            (_PARAGRAPHS if self.is_long else _LINE).validate_python(text)
        except ValidationError as error:
            message = error.errors()[0]["msg"].removeprefix("Value error, ")
            return f"This cannot be stored: {message}."
        return None


@dataclass(frozen=True, slots=True)
class Filled:
    """A form with what was typed, and the errors by field; both are shown again together."""

    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)

    def with_errors(self, errors: Mapping[str, str]) -> "Filled":
        """The same text with other errors."""
        return Filled(self.values, errors)


def fill(fields: Iterable[Field], sent: Sent) -> Filled:
    """Return what was sent in `fields`, and what is wrong with it."""
    values = {each.name: sent.get(each.name) for each in fields}
    errors = {each.name: each.error(values[each.name]) for each in fields}
    return Filled(values, {name: error for name, error in errors.items() if error})


def refused_fields(error: ProblemAnswerError, names: Iterable[str]) -> dict[str, str]:
    """Return what a service says of each of the fields `names`; empty when it names none."""
    known = set(names)
    return {
        each.field: f"This cannot be stored: {each.detail}."
        for each in error.problem.errors or []
        if each.field in known
    }
