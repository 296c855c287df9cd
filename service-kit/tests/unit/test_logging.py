"""Log lines on their way out."""

import asyncio
from io import BytesIO

from structlog.tracebacks import ExceptionDictTransformer

from servicekit.logging import Lines, root_cause
from servicekit.redaction import first_lines


class File(BytesIO):
    """Counts how often it is flushed."""

    flushes = 0

    def flush(self) -> None:
        self.flushes += 1


def test_lines_are_written_at_once_without_an_event_loop() -> None:
    file = File()
    Lines(file).info(b"one")
    assert (file.getvalue(), file.flushes) == (b"one\n", 1)


async def test_lines_of_one_turn_of_the_loop_are_flushed_together() -> None:
    file = File()
    lines = Lines(file)
    lines.info(b"one")
    lines.warning(b"two")
    assert file.flushes == 0
    await asyncio.sleep(0)
    assert (file.getvalue(), file.flushes) == (b"one\ntwo\n", 1)
    lines.info(b"three")
    await asyncio.sleep(0)
    assert file.flushes == 2


def test_exception_in_the_log_does_not_repeat_values() -> None:
    cause = ValueError("not stored for grace@example.org\nDETAIL: ada@example.org")
    cause.add_note("for ada@example.org")
    error = ExceptionGroup("many", [cause])
    error.__cause__ = cause
    transform = ExceptionDictTransformer(show_locals=False)
    told = str(first_lines(transform((type(error), error, None))))
    assert "'not stored for g***@example.org'" in told
    assert "ada@example.org" not in told


def test_root_cause_is_the_first_line_of_the_last_cause_without_addresses() -> None:
    error = ValueError("unavailable")
    error.__cause__ = OSError("451 not now for ada@example.org\nDETAIL: her words")
    assert root_cause(error) == "OSError: 451 not now for a***@example.org"
