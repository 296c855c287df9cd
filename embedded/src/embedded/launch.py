"""Becomes one command with exactly the environment of its file, and ends when its parent ends.

Run as a script with the name of a file that `embedded.supervised` has written, or called where a
process was forked for it. It needs nothing but the standard library, so that it costs a few
milliseconds.
"""

import ctypes
import json
import os
import runpy
import select
import signal
import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

PR_SET_PDEATHSIG = 1


def main(file: str) -> NoReturn:
    """Replace this process by the command of `file`: {command, environment, end_signal}."""
    order = _order(file)
    os.execvpe(order["command"][0], order["command"], order["environment"])  # noqa: S606 - ours


def become(file: str) -> NoReturn:
    """Do as `main`; a Python module runs in this process, with what is imported already."""
    order = _order(file)
    command = order["command"]
    if command[:2] != [sys.executable, "-m"]:
        os.execvpe(command[0], command, order["environment"])  # noqa: S606 - ours
    os.environ.clear()
    os.environ.update(order["environment"])
    for number in (signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP, signal.SIGCHLD, signal.SIGUSR2):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    status = 1
    try:
        sys.argv = command[2:]
        runpy.run_module(command[2], run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as ended:
        status = _status(ended)
    except BaseException:  # noqa: BLE001 - as at the end of every Python program
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _order(file: str) -> dict[str, Any]:
    order: dict[str, Any] = json.loads(Path(file).read_text())
    if sys.platform == "linux":
        # The one way to leave nothing behind when the parent is killed and can't stop anything.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, order["end_signal"])
    if _parent_has_ended():
        sys.exit("The parent has ended before this could start.")
    return order


def _status(ended: SystemExit) -> int:
    if isinstance(ended.code, str):
        sys.stderr.write(f"{ended.code}\n")
        return 1
    return ended.code or 0


def _parent_has_ended() -> bool:
    # It holds the other end of the pipe that is the standard input here, and nobody else does.
    watcher = select.poll()
    watcher.register(sys.stdin.fileno(), 0)
    return any(event & select.POLLHUP for _, event in watcher.poll(0))


if __name__ == "__main__":
    main(sys.argv[1])
