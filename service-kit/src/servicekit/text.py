"""Types of what people type: trimmed, not empty, and free of characters that no keyboard has.

A field adds its own bound: `Annotated[Line, Field(max_length=200)]`.
"""

import re
from typing import Annotated

from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticCustomError

# Control characters, and the marks that reverse the reading direction of what follows.
_NEVER = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_NEVER_IN_A_LINE = re.compile("[\t\n\u2028\u2029]")


def _paragraphs(text: str) -> str:
    text = text.replace("\r\n", "\n")
    if _NEVER.search(text):
        raise PydanticCustomError("control_characters", "control characters are not allowed")
    return text


def _line(text: str) -> str:
    if _NEVER_IN_A_LINE.search(text):
        raise PydanticCustomError("not_one_line", "it must be a single line")
    return _paragraphs(text)


SearchText = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_line)]
"""A single line that may be empty."""

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1), AfterValidator(_line)]
"""A single line."""

Paragraphs = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1), AfterValidator(_paragraphs)
]
"""One or more lines."""
