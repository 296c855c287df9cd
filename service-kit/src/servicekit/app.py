"""Puts a service together: routes, health, problems, limits, logs, metrics and traces."""

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from time import perf_counter
from typing import Any

import structlog
import uvicorn
from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Lifespan, Message, Receive, Scope, Send

from servicekit import health, logging, metrics, problem_handlers, problems, telemetry
from servicekit.connections import bounded
from servicekit.faults import Faults
from servicekit.http import trusted
from servicekit.problems import BODY_TOO_LARGE, Problem, ProblemDocument, ProblemType
from servicekit.security import API_CSP, RawHeaders, SecurityHeaders, security_headers
from servicekit.settings import ServerSettings, SettingsT, bound_socket, load


def create_app(
    name: str,
    settings: ServerSettings,
    routers: Sequence[APIRouter],
    *,
    lifespan: Lifespan[FastAPI] | None = None,
    owned: dict[str, Callable[[], bool]] | None = None,
    errors: Mapping[type[Exception], ProblemType] | None = None,
    csp: str = API_CSP,
    traced: Sequence[str] = (),
    public: bool = False,
) -> FastAPI:
    """A service: `routers` with everything around them that all services have.

    `owned` is what readiness asks (see `servicekit.health`), `errors` maps the service's own
    exceptions to the problems that clients get, `traced` is what it calls (see `telemetry`).
    Anybody may call a `public` one, so it does not let its callers choose what is traced.
    """
    app = FastAPI(
        title=name,
        version=settings.service_version,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        # An address has one spelling; a redirect would send the visitor to the inner host name.
        redirect_slashes=False,
        # Spans come from servicekit.telemetry; FastAPI's own would look for a provider each time.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.include_router(health.router(name, settings, owned or {}))
    for router in routers:
        _demand_coroutines(router)
        app.include_router(router)
    problem_handlers.install(app, errors or {})
    if settings.fault_error_ratio > 0 or settings.fault_delay_seconds > 0:
        app.add_middleware(
            Faults,
            routes=[route for router in routers for route in router.routes],
            error_ratio=settings.fault_error_ratio,
            delay_seconds=settings.fault_delay_seconds,
        )
    app.add_middleware(BodyLimit, limit=settings.max_body_bytes)
    app.add_middleware(Observe)
    if telemetry.configure(name, settings, traced):
        from servicekit.exporting import instrument  # noqa: PLC0415 - as there

        instrument(app, settings.otel_sample_ratio, trusts_callers=not public)
    _protect(app, security_headers(csp, has_tls=settings.has_tls))
    _describe(app)
    return app


def _demand_coroutines(router: APIRouter) -> None:
    """TypeError for a handler or a dependency that is a plain function.

    The framework would hand each over to a thread, which costs a request more than its database.
    """
    dependants = [route.dependant for route in router.routes if isinstance(route, APIRoute)]
    while dependants:
        dependant = dependants.pop()
        dependants += dependant.dependencies
        call = dependant.call
        if not (inspect.iscoroutinefunction(call) or _is_called_as_coroutine(call)):
            raise TypeError(f"{call} must be declared with `async def`.")


def _is_called_as_coroutine(call: object) -> bool:
    # Such as the framework's security schemes, which are objects.
    return not inspect.isclass(call) and inspect.iscoroutinefunction(type(call).__call__)


def _protect(app: FastAPI, headers: RawHeaders) -> None:
    """Security headers around everything: the framework's answer to a fault of ours is made
    outside of every middleware that an app can add.
    """
    inner = app.build_middleware_stack
    app.build_middleware_stack = lambda: SecurityHeaders(inner(), headers)  # type: ignore[method-assign]


def run(create: Callable[[SettingsT], FastAPI], kind: type[SettingsT]) -> None:
    """Read the settings, then serve until SIGTERM: stop accepting, finish, close."""
    settings = load(kind)
    assert isinstance(settings, ServerSettings)
    trusted()  # so that a wrong file ends the start before anything is open
    app = create(settings)
    logging.configure(app.title, settings.log_level)
    # Bound here, so that a port that is taken ends the start with one sentence.
    metrics.serve(bound_socket(settings.host, settings.metrics_port, "METRICS_PORT"))
    own_socket = bound_socket(settings.host, settings.port, "PORT")
    logging.log_start(settings.service_version, settings.service_source)
    metrics.tell_version(settings.service_version, settings.service_source)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=bounded(
            settings.receive_seconds,
            settings.max_connections,
            security_headers(API_CSP, has_tls=settings.has_tls),
        ),
        ws="none",
        # It believes any X-Forwarded-For that comes from this machine.
        proxy_headers=False,
        access_log=False,
        log_config=None,
        server_header=False,
        # Longer than what stands before us keeps an idle connection, so that none is closed under a
        # request: Traefik and other proxies in Go 90 s, Google's load balancers 600 s.
        timeout_keep_alive=620,
        timeout_graceful_shutdown=int(settings.shutdown_grace_seconds),
    )
    server = uvicorn.Server(config)
    with suppress(KeyboardInterrupt):
        server.run(sockets=[own_socket])
    if not server.started:
        sys.exit("The service could not start; its log says why.")


class Observe:
    """Plain ASGI middleware: one log line and one count for each request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        # Bound once: the logger that get_logger gives builds another at each line.
        self._log = structlog.get_logger().bind()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500
        started = perf_counter()

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            seconds = perf_counter() - started
            route = route_template(scope)
            metrics.observe(scope["method"], route, status, seconds)
            # The template, not the path: paths may carry signed links.
            self._log.info(
                "request",
                method=scope["method"],
                route=route,
                status=status,
                milliseconds=round(seconds * 1000, 2),
            )


def route_template(scope: Scope) -> str:
    """The route as it was declared, which keeps labels few; `unmatched` where there is none."""
    route: Any = scope.get("route")
    return getattr(route, "path", None) or "unmatched"


class BodyLimit:
    """Plain ASGI middleware: a request body over the limit is a 413, and nobody gets it.

    The connection stays open, and what still comes is dropped: whoever sends all of it before
    reading, as browsers and proxies do, would find a closed one in the place of the answer.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        declared = headers.get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > self._limit:
            await self._problem().response()(scope, receive, send)
            return
        if b"transfer-encoding" not in headers:
            await self._app(scope, receive, send)
            return
        read = 0

        async def receive_counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            return message if read <= self._limit else {"type": "http.disconnect"}

        async def send_unless_over(message: Message) -> None:
            if read <= self._limit:
                await send(message)

        try:
            await self._app(scope, receive_counted, send_unless_over)
        except Exception:
            if read <= self._limit:
                raise
        if read > self._limit:
            await self._problem().response()(scope, receive, send)

    def _problem(self) -> Problem:
        return Problem(BODY_TOO_LARGE, f"The body may have {self._limit} bytes.")


def _describe(app: FastAPI) -> None:
    """Make OpenAPI tell every problem that the middleware and the handlers may answer."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(title=app.title, version=app.version, routes=app.routes)
            schemas = schema.setdefault("components", {}).setdefault("schemas", {})
            schemas["ProblemDocument"] = ProblemDocument.model_json_schema(
                ref_template="#/components/schemas/{model}"
            )
            schemas.update(schemas["ProblemDocument"].pop("$defs", {}))
            schemas.pop("HTTPValidationError", None)
            schemas.pop("ValidationError", None)
            for path in schema["paths"].values():
                for operation in path.values():
                    _add_common(operation["responses"], secured="security" in operation)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _add_common(documented: dict[str, Any], *, secured: bool) -> None:
    if "HTTPValidationError" in str(documented.get("422")):
        del documented["422"]
    kinds = [*problems.COMMON, *(problems.SECURED if secured else ())]
    for status, response in problems.responses(*kinds).items():
        documented.setdefault(str(status), response)
