"""Faults on purpose: a share of requests is answered with 500, or all are answered later.

Off unless FAULT_ERROR_RATIO or FAULT_DELAY_SECONDS is set. For tests of what judges a release, and
for demonstrations; the production profile refuses the settings.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from prometheus_client import Counter
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from servicekit.problems import INTERNAL, Problem

EXEMPT = frozenset({"/livez", "/readyz", "/info", "/openapi.json"})
"""The paths that tell what the process is and whether it works, which faults must not change."""
INJECTED = Counter(
    "faults_injected_total", "Requests that failed or were delayed on purpose", ["kind"]
)


class Faults:
    """Plain ASGI middleware: delay each request, and answer some with a problem in place of `app`.

    `error_ratio` is the share of requests that are answered with 500, 0 to 1; an error is counted
    for the one of `routes` for which the request was meant.
    """

    def __init__(
        self,
        app: ASGIApp,
        routes: Sequence[BaseRoute],
        error_ratio: float,
        delay_seconds: float,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._app = app
        self._routes = routes
        self._error_ratio = error_ratio
        self._delay_seconds = delay_seconds
        self._draw = draw
        for kind in ("error", "delay"):
            INJECTED.labels(kind)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in EXEMPT:
            await self._app(scope, receive, send)
            return
        if self._delay_seconds > 0:
            _report("delay", scope, seconds=self._delay_seconds)
            await asyncio.sleep(self._delay_seconds)
        if self._draw() >= self._error_ratio:
            await self._app(scope, receive, send)
            return
        self._find_route(scope)
        _report("error", scope)
        problem = Problem(INTERNAL, "The setting FAULT_ERROR_RATIO asks for this error.")
        await problem.response()(scope, receive, send)

    def _find_route(self, scope: Scope) -> None:
        """Add to `scope` what the router would; nothing where no route matches."""
        for route in self._routes:
            match, found = route.matches(scope)
            if match is Match.FULL:
                scope.update(found)
                return


def _report(kind: str, scope: Scope, **more: Any) -> None:
    INJECTED.labels(kind).inc()
    structlog.get_logger().warning("fault injected", kind=kind, method=scope["method"], **more)
