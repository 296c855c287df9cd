"""The folder of one embedded platform: its secrets, its data, its logs, and who runs in it."""

import fcntl
import json
import os
import pwd
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import psutil

from testkit.backing import NOBODY

PROJECT = Path(__file__).parents[3]
_PASSCODE_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""None that is easily taken for another."""
_FILES = (
    *("secrets.json", "state.json", "lock"),
    # A supervisor that was killed leaves the last two behind.
    *("supervisord.conf", "supervisord.pid", "supervisor.sock"),
)


class HomeError(Exception):
    """The folder can't be used; the message is a sentence that says why."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """Made once for each platform."""

    link_key: str
    session_key: str
    passcode: str
    client_key: str
    """What the secrets of the platform's programs at the provider are made of."""


@dataclass(frozen=True, slots=True)
class State:
    """The public facts of the platform that runs."""

    pid: int
    site: str
    auth: str
    """Which provider signs people in: a key of `embedded.plan.PROVIDERS`."""


class Home:
    """The folder in which one platform keeps everything that it writes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.data = self.folder / "data"
        self.logs = self.folder / "logs"
        self.orders = self.folder / "programs"
        self._secrets = self.folder / "secrets.json"
        self._state = self.folder / "state.json"
        self._lock = self.folder / "lock"

    def prepare(self) -> None:
        """Make the folders, or a HomeError when they are somebody else's."""
        try:
            for folder in (self.folder, self.data, self.logs, self.orders):
                folder.mkdir(parents=True, exist_ok=True)
            self.orders.chmod(0o700)
        except PermissionError as error:
            raise HomeError(
                f"{error.filename} can't be written by {_user_name(os.geteuid())}; "
                "CONFERENCE_HOME may name another folder."
            ) from error
        self._check_owner()

    def _check_owner(self) -> None:
        cluster = self.data / "postgres"
        if not cluster.exists():
            return
        owner = cluster.stat().st_uid
        if owner != (NOBODY if os.geteuid() == 0 else os.geteuid()):
            raise HomeError(
                f"The data in {self.data} was made by {_user_name(0 if owner == NOBODY else owner)}"
                f" and this is {_user_name(os.geteuid())}; start it as that user, or name another "
                "folder with CONFERENCE_HOME."
            )

    def secrets(self) -> Secrets:
        """The secrets of this platform, made the first time; only the owner may read the file."""
        kept = json.loads(self._secrets.read_text()) if self._secrets.exists() else {}
        new = {each.name: secrets.token_hex(32) for each in fields(Secrets)}
        # A release that needs another one finds those there that it had before.
        found = Secrets(**{**new, "passcode": _passcode(), **kept})
        if kept != asdict(found):
            _write_private(self._secrets, json.dumps(asdict(found)))
        return found

    @contextmanager
    def locked(self) -> Iterator[int]:
        """Hold the folder; yields the descriptor of the lock, which a child may inherit.

        As long as anybody has that descriptor open, the folder is in use: HomeError.
        """
        with self._lock.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise HomeError(self._who_runs()) from error
            self._state.unlink(missing_ok=True)
            yield lock.fileno()

    def _who_runs(self) -> str:
        state = self.state()
        # One that was killed could not take its words back, and its parts need a moment to end.
        if state is None or not psutil.pid_exists(state.pid):
            return f"The platform in {self.folder} is just starting or stopping."
        return (
            f"The platform already runs on {state.site} (process {state.pid}); "
            f"stop it with Ctrl-C there or with `kill {state.pid}`."
        )

    def announce(self, state: State) -> None:
        """Tell others in this folder how the platform is reached."""
        _write_private(self._state, json.dumps(asdict(state)))

    def withdraw(self) -> None:
        """The platform is no longer reached."""
        self._state.unlink(missing_ok=True)

    def state(self) -> State | None:
        """Return what was announced; it is only as true as the lock is held."""
        try:
            return State(**json.loads(self._state.read_text()))
        except FileNotFoundError:
            return None

    def forget(self) -> None:
        """Remove everything that a platform has written here, and nothing else."""
        for folder in (self.data, self.logs, self.orders):
            shutil.rmtree(folder, ignore_errors=True)
        for name in _FILES:
            (self.folder / name).unlink(missing_ok=True)
        if not any(self.folder.iterdir()):
            self.folder.rmdir()


def default_home() -> Home:
    """The folder that CONFERENCE_HOME names, or .local in the project."""
    return Home(Path(os.environ.get("CONFERENCE_HOME") or PROJECT / ".local"))


def _passcode() -> str:
    groups = ("".join(secrets.choice(_PASSCODE_LETTERS) for _ in range(4)) for _ in range(3))
    return "-".join(groups)


def _write_private(file: Path, text: str) -> None:
    new = file.with_suffix(".new")
    new.touch(mode=0o600)
    new.write_text(text)
    new.replace(file)


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
