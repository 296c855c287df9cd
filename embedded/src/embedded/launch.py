"""Becomes one command with exactly the environment of its file, and ends when its parent ends.

Run as a script with the name of a file that `embedded.supervised` has written. It needs nothing
but the standard library, so that it costs a few milliseconds.
"""

import ctypes
import json
import os
import select
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1


def main(file: str) -> None:
    """Replace this process by the command of `file`: {command, environment, end_signal}."""
    order = json.loads(Path(file).read_text())
    if sys.platform == "linux":
        # The one way to leave nothing behind when the parent is killed and can't stop anything.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, order["end_signal"])
    if _parent_has_ended():
        sys.exit("The parent has ended before this could start.")
    os.execvpe(order["command"][0], order["command"], order["environment"])  # noqa: S606 - ours


def _parent_has_ended() -> bool:
    # It holds the other end of the pipe that is the standard input here, and nobody else does.
    watcher = select.poll()
    watcher.register(sys.stdin.fileno(), 0)
    return any(event & select.POLLHUP for _, event in watcher.poll(0))


if __name__ == "__main__":
    main(sys.argv[1])
