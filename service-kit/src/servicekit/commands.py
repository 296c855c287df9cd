"""Helpers of a command that is no server, but the first process of a container."""

import signal
import sys

TERMINATED = 128 + signal.SIGTERM
"""The exit code of a process that SIGTERM has ended, as a shell gives it."""


def end_when_told() -> None:
    """Let SIGTERM end this process with TERMINATED, and what it has under way first.

    Without a handler the kernel sends a container's first process no such signal, see
    https://man7.org/linux/man-pages/man7/pid_namespaces.7.html: it would go on for the whole grace
    period of its pod, and then be killed in the midst of its work.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
