"""Services that can't be put together, and are refused."""

from typing import Annotated

import pytest
from fastapi import APIRouter, Depends
from fastapi.security import HTTPBearer

from servicekit.app import create_app
from servicekit.settings import ServerSettings

SETTINGS = ServerSettings(port=8000, metrics_port=8001)


def plain() -> str:
    return "from a thread"


async def between(text: Annotated[str, Depends(plain)]) -> str:
    return text


def test_app_refuses_a_handler_that_would_run_on_a_thread() -> None:
    router = APIRouter()
    router.add_api_route("/", plain)
    with pytest.raises(TypeError, match=r"plain.*async def"):
        create_app("test", SETTINGS, [router])


def test_app_refuses_a_dependency_that_would_run_on_a_thread() -> None:
    router = APIRouter()

    @router.get("/")
    async def handler(text: Annotated[str, Depends(between)]) -> str:
        return text

    with pytest.raises(TypeError, match=r"plain.*async def"):
        create_app("test", SETTINGS, [router])


def test_app_takes_an_object_that_is_called_as_a_coroutine() -> None:
    router = APIRouter()

    @router.get("/", dependencies=[Depends(HTTPBearer())])
    async def handler() -> str:
        return ""

    create_app("test", SETTINGS, [router])
