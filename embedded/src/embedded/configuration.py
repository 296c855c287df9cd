"""The platform in supervisor's words: its configuration file."""

import json
import shlex
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from signal import Signals

from embedded import launch
from embedded.home import Home
from embedded.plan import Step

STOP_SECONDS = 10
_LONGEST_SOCKET = 90
"""Bytes; the kernel allows 108, and supervisor adds a suffix of its own while it binds."""


def order(
    home: Home, name: str, command: Sequence[str], env: Mapping[str, str], end: Signals
) -> list[str]:
    """The command that runs `command` with exactly `env`, and ends it by `end` with its parent.

    The environment goes through a file: supervisor's own syntax for it can't hold every value,
    and secrets stay out of its configuration.
    """
    file = home.orders / f"{name}.json"
    file.touch(mode=0o600)
    what = {"command": list(command), "environment": dict(env), "end_signal": end}
    file.write_text(json.dumps(what))
    return [sys.executable, "-I", str(Path(launch.__file__)), str(file)]


def socket_file(home: Home) -> Path:
    """The socket of supervisor: in the platform's folder unless that is too deep for a socket."""
    file = home.folder / "supervisor.sock"
    # A supervisor that was killed leaves it behind.
    file.unlink(missing_ok=True)
    if len(str(file).encode()) <= _LONGEST_SOCKET:
        return file
    return Path(tempfile.mkdtemp(prefix="conference-")) / file.name


def configure(home: Home, steps: Sequence[Step], listens: Path) -> Path:
    """Write supervisord.conf and what it refers to; return its path.

    Nothing starts by itself: the order has conditions that supervisor has no words for. Stopping
    does follow from here, so that it is right even when supervisor alone is told to end.
    """
    stages = list(dict.fromkeys(step.stage for step in steps))
    parts = [_CONTROL.format(socket=listens.name if listens.parent == home.folder else listens)]
    for number, stage in enumerate(stages):
        names = ",".join(step.name for step in steps if step.stage == stage)
        parts.append(_STAGE.format(stage=stage, names=names, number=number))
    parts.extend(_program(home, step) for step in steps)
    file = home.folder / "supervisord.conf"
    file.write_text("".join(parts))
    return file


# Paths of ours are relative to the platform's folder, in which supervisor runs.
_CONTROL = """\
[supervisord]
nodaemon = true
silent = true
nocleanup = true
childlogdir = logs
logfile = logs/supervisord.log
logfile_maxbytes = 5MB
logfile_backups = 1
pidfile = supervisord.pid

[unix_http_server]
file = {socket}

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

"""
_STAGE = """\
[group:{stage}]
programs = {names}
priority = {number}

"""
_PROGRAM = """\
[program:{name}]
command = {command}
autostart = false
autorestart = {restarts}
startsecs = {start_seconds}
startretries = 20
stopsignal = {stop_signal}
stopwaitsecs = {stop_seconds}
redirect_stderr = true
stdout_logfile = logs/{name}.log
stdout_logfile_maxbytes = 20MB
stdout_logfile_backups = 2

"""


def _program(home: Home, step: Step) -> str:
    program = step.program
    command = order(home, program.name, program.command, program.environment, program.stop_signal)
    return _PROGRAM.format(
        name=program.name,
        command=" ".join(_escaped(shlex.quote(part)) for part in command),
        restarts="false" if step.runs_once else "true",
        start_seconds=0 if step.runs_once else 1,
        stop_signal=program.stop_signal.name.removeprefix("SIG"),
        stop_seconds=STOP_SECONDS,
    )


def _escaped(quoted: str) -> str:
    # `%` starts an expansion and a blank with `;` or `#` a remark; both may stand in a path.
    for remark in ";#":
        quoted = quoted.replace(remark, f"'\"{remark}\"'")
    return quoted.replace("%", "%%")
