"""Which port each part gets: its usual one, or the next that is free."""

from collections.abc import Callable, Mapping

import psutil

from servicekit.testing import free_port, is_free

USUAL: Mapping[str, int] = {
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
    "provider_metrics": 9090,
}
OBSERVERS: Mapping[str, int] = {"traces": 4318, "prometheus": 9090}


def any_free() -> dict[str, int]:
    """Free ports, whichever; for tests, many platforms at once."""
    return {name: free_port() for name in (*USUAL, *OBSERVERS)}


def usual_or_next(tell: Callable[[str], None], *, observe: bool = False) -> dict[str, int]:
    """The usual ports; where one is taken, `tell` says by whom and which is used instead."""
    chosen: dict[str, int] = {}
    wanted = {**USUAL, **OBSERVERS} if observe else USUAL
    for name, usual in wanted.items():
        spoken_for = {*chosen.values(), *wanted.values()} - {usual}
        port = next(
            each for each in range(usual, 65536) if each not in spoken_for and is_free(each)
        )
        if port != usual:
            tell(f"Port {usual} ({name}) is taken{_by_whom(usual)}; {port} is used instead.")
        chosen[name] = port
    return chosen


def _by_whom(port: int) -> str:
    try:
        listening = [
            each
            for each in psutil.net_connections("tcp")
            if each.status == psutil.CONN_LISTEN and each.laddr.port == port and each.pid
        ]
        return f" by {psutil.Process(listening[0].pid).name()} (process {listening[0].pid})"
    except (psutil.Error, IndexError):
        return ""
