"""Texts that people may type, and texts that are refused."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from servicekit.redaction import mask_address
from servicekit.text import Line, Paragraphs

LINE: TypeAdapter[str] = TypeAdapter(Line)
PARAGRAPHS: TypeAdapter[str] = TypeAdapter(Paragraphs)


@pytest.mark.parametrize(
    "text", ["", "  ", "a\nb", "a\tb", "a\x00b", "a\u2028b", "\u202eb", "\x1b["]
)
def test_line_refuses_what_is_no_line(text: str) -> None:
    with pytest.raises(ValidationError):
        LINE.validate_python(text)


@pytest.mark.parametrize("text", ["Zoë", "日本語", "🦊 & <b>", "a'b\"c", "100 %"])
def test_line_takes_every_language(text: str) -> None:
    assert LINE.validate_python(f" {text}\n") == text


def test_paragraphs_keep_their_lines_in_one_form() -> None:
    assert PARAGRAPHS.validate_python("a\r\nb\n\n\tc ") == "a\nb\n\n\tc"


# The same texts in every run, however slowly a busy machine makes them up and reads them.
@settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text())
def test_paragraphs_never_hold_a_control_character(text: str) -> None:
    try:
        kept = PARAGRAPHS.validate_python(text)
    except ValidationError:
        return
    assert kept.strip()
    assert all(char in "\n\t" or char >= " " for char in kept)


def test_masked_address_keeps_only_its_first_letter_and_domain() -> None:
    assert mask_address("ada@example.org") == "a***@example.org"
