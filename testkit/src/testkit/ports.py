"""TCP ports for servers that a test starts."""

import secrets
import socket
from contextlib import suppress


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that is this process's until it ends, for a server to come.

    It lies below the ports that systems give to outgoing connections (from 32768 on Linux, from
    49152 by RFC 6335), any of which may be taken by a client before the server binds it, and above
    those that databases and the like usually have. The UDP port of the same number is held
    meanwhile, so that no other process is given it here.
    """
    while True:
        port = secrets.randbelow(15_000) + 17_000
        claim = socket.socket(type=socket.SOCK_DGRAM)
        with suppress(OSError):
            claim.bind(("127.0.0.1", port))
            if is_free(port):
                # Open until the process ends.
                claim.detach()
                return port
        claim.close()


def is_free(port: int) -> bool:
    """Return whether a server can listen at this TCP port of 127.0.0.1 just now."""
    with socket.socket() as probe:
        # As the servers do: connections that are still being closed don't hold the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
