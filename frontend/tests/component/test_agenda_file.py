"""The agenda on disk."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from frontend.store.agenda_file import AgendaDocuments, AgendaFile, Document, SavedAgenda

AT = datetime(2027, 6, 1, 10, 42, tzinfo=UTC)
DOCUMENTS = AgendaDocuments(
    sessions=Document(etag='"1"', body='{"items": []}'), schedule=Document(etag=None, body="{}")
)
SAVED = SavedAgenda(DOCUMENTS, AT)


def test_file_loads_what_was_saved(tmp_path: Path) -> None:
    AgendaFile(tmp_path / "new" / "folder").save(SAVED)
    assert AgendaFile(tmp_path / "new" / "folder").load() == SAVED


def test_file_loads_nothing_where_nothing_was_saved(tmp_path: Path) -> None:
    assert AgendaFile(tmp_path).load() is None


def test_file_remembers_when_it_was_last_confirmed(tmp_path: Path) -> None:
    file = AgendaFile(tmp_path)
    file.save(SAVED)
    written = (tmp_path / "agenda.json").stat().st_ino
    later = SavedAgenda(DOCUMENTS, AT + timedelta(minutes=5))
    file.save(later)
    assert file.load() == later
    assert (tmp_path / "agenda.json").stat().st_ino == written


def test_file_that_could_not_be_replaced_is_not_taken_for_the_new_one(tmp_path: Path) -> None:
    file = AgendaFile(tmp_path)
    file.save(SAVED)
    (tmp_path / f"agenda.json.{os.getpid()}").mkdir()
    other = DOCUMENTS.model_copy(update={"schedule": Document(etag=None, body="[]")})
    for minutes in (1, 2):
        file.save(SavedAgenda(other, AT + timedelta(minutes=minutes)))
    assert AgendaFile(tmp_path).load() == SAVED


def test_file_comes_back_when_someone_removed_it(tmp_path: Path) -> None:
    file = AgendaFile(tmp_path)
    file.save(SAVED)
    (tmp_path / "agenda.json").unlink()
    file.save(SAVED)
    assert file.load() == SAVED


def test_file_is_replaced_whole_and_leaves_nothing_else(tmp_path: Path) -> None:
    file = AgendaFile(tmp_path)
    file.save(SAVED)
    file.save(SavedAgenda(DOCUMENTS.model_copy(update={"schedule": DOCUMENTS.sessions}), AT))
    assert [each.name for each in tmp_path.iterdir()] == ["agenda.json"]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"sessions": 1}', b"\xff\xfe", b"null", b"[" * 100_000]
)
def test_file_that_is_damaged_is_ignored(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "agenda.json").write_bytes(content)
    assert AgendaFile(tmp_path).load() is None


def test_file_that_can_not_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("no folder")
    file = AgendaFile(tmp_path / "data")
    file.save(SAVED)
    assert file.load() is None
