"""The port of each part: its default, or the next free one where that is taken."""

from collections.abc import Callable, Mapping

import psutil

from testkit.ports import free_port, is_free

DEFAULTS: Mapping[str, int] = {
    "site": 8080,
    "agenda": 8081,
    "c4p": 8082,
    "email": 8083,
    "provider": 8090,
    "mail": 8025,
    "smtp": 1025,
    "postgres": 15432,
    "valkey": 16379,
    "site_metrics": 9080,
    "agenda_metrics": 9081,
    "c4p_metrics": 9082,
    "email_metrics": 9083,
    "provider_metrics": 9084,
    "prometheus": 9090,
    "traces": 4318,
}
OBSERVERS = frozenset({"prometheus", "traces"})
"""The parts that only an observed platform has."""


def random_free_ports() -> dict[str, int]:
    """Return a free port for each part, with no regard to defaults: tests run many platforms."""
    return {name: free_port() for name in DEFAULTS}


def default_or_next_free_ports(
    tell: Callable[[str], None], *, observe: bool = False
) -> dict[str, int]:
    """Return the default port of each part, or the next free one above it.

    `tell` is called with a sentence for each default that is taken: by which process, and which
    port is used instead. No part gets the default of another one.
    """
    wanted = {name: port for name, port in DEFAULTS.items() if observe or name not in OBSERVERS}
    chosen: dict[str, int] = {}
    for name, default in wanted.items():
        reserved = {*chosen.values(), *(port for other, port in wanted.items() if other != name)}
        port = next(
            each for each in range(default, 65536) if each not in reserved and is_free(each)
        )
        if port != default:
            tell(f"Port {default} ({name}) is taken{_by_process(default)}; {port} is used instead.")
        chosen[name] = port
    return chosen


def _by_process(port: int) -> str:
    try:
        listening = [
            each
            for each in psutil.net_connections("tcp")
            if each.status == psutil.CONN_LISTEN and each.laddr.port == port and each.pid
        ]
        return f" by {psutil.Process(listening[0].pid).name()} (process {listening[0].pid})"
    except (psutil.Error, IndexError):
        return ""
