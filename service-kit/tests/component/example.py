"""A service of the kit and nothing else, for tests of what the kit does to connections."""

from fastapi import APIRouter, FastAPI, Request, Response

from servicekit.app import create_app, run
from servicekit.connections import BoundedProtocol
from servicekit.settings import ServerSettings

LARGE = 20_000_000
"""Bytes: more than two sockets hold."""
router = APIRouter()


@router.post("/length")
async def length(request: Request) -> int:
    """Return the length of the body."""
    return len(await request.body())


@router.get("/large")
async def large() -> Response:
    """An answer that takes a client who reads."""
    return Response(b"x" * LARGE)


@router.get("/broken")
async def broken() -> None:
    """A fault of ours."""
    raise RuntimeError("a fault of ours")


def create(settings: ServerSettings) -> FastAPI:
    """The service."""
    return create_app("example", settings, [router])


if __name__ == "__main__":
    BoundedProtocol.send_seconds = 0.5
    run(create, ServerSettings)
