"""The agenda on disk: what a restarted frontend serves while the agenda service is unavailable."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

LOG = structlog.get_logger()


class Document(BaseModel):
    """An answer of the agenda service: its body (JSON) and its ETag, if it had one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    etag: str | None
    body: str


class AgendaDocuments(BaseModel):
    """Everything that an agenda is made of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sessions: Document
    schedule: Document


@dataclass(frozen=True, slots=True)
class SavedAgenda:
    """The saved agenda, and when agenda-service last confirmed it."""

    documents: AgendaDocuments
    confirmed_at: datetime


class AgendaFile:
    """One file, replaced whole; its modification time says when its content was last confirmed.

    A disk that fails costs the next start its copy and nothing now: it is logged, never raised.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "agenda.json"
        self._content: AgendaDocuments | None = None
        """What is known to be in the file."""

    def load(self) -> SavedAgenda | None:
        """Return what was saved last; None where there is nothing, or nothing that can be read."""
        try:
            documents = AgendaDocuments.model_validate_json(self._path.read_bytes())
            saved = SavedAgenda(documents, self._confirmed_at())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            LOG.warning("saved agenda ignored", file=str(self._path), reason=type(error).__name__)
            return None
        self._content = documents
        return saved

    def _confirmed_at(self) -> datetime:
        return datetime.fromtimestamp(self._path.stat().st_mtime, UTC)

    def save(self, saved: SavedAgenda) -> None:
        """Replace the file, or just note in it when its content was confirmed.

        Who reads it meanwhile sees the old one or the new one.
        """
        try:
            if saved.documents == self._content:
                self._touch(saved.confirmed_at)
                return
        except OSError:
            LOG.info("saved agenda is gone", file=str(self._path))
        self._replace(saved)

    def _replace(self, saved: SavedAgenda) -> None:
        unfinished = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with unfinished.open("wb") as file:
                file.write(saved.documents.model_dump_json().encode())
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(self._path)
            self._touch(saved.confirmed_at)
        except OSError as error:
            self._content = None
            LOG.warning("agenda not saved", file=str(self._path), reason=str(error))
            return
        self._content = saved.documents

    def _touch(self, at: datetime) -> None:
        os.utime(self._path, (at.timestamp(), at.timestamp()))
