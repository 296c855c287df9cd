"""Is it alive, is it ready, what is it: answered by what the process itself knows."""

from collections.abc import Callable

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from servicekit.settings import Settings


class Info(BaseModel):
    """The build of this process and where it runs; the names are of Kubernetes' downward API."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    name: str
    version: str
    source: str
    pod_id: str
    pod_namespace: str
    pod_node_name: str


class Health(BaseModel):
    """`ok`, or what is still missing."""

    status: str
    missing: list[str] = []


def own_info(name: str, settings: Settings) -> Info:
    """Return what /info of this process tells."""
    return Info(
        name=name,
        version=settings.service_version,
        source=settings.service_source,
        pod_id=settings.pod_id,
        pod_namespace=settings.pod_namespace,
        pod_node_name=settings.pod_node_name,
    )


def router(name: str, settings: Settings, owned: dict[str, Callable[[], bool]]) -> APIRouter:
    """The routes /info, /livez and /readyz.

    `owned` names what must be there before a request is taken: things of this process only, never
    a neighbour, since restarting or unlisting this pod would not bring the neighbour back.
    """
    routes = APIRouter(tags=["operations"])
    info = own_info(name, settings)

    @routes.get("/info")
    async def get_info() -> Info:
        """Return which build answers, and where it runs."""
        return info

    @routes.get("/livez")
    async def get_livez() -> Health:
        """The event loop turns."""
        return Health(status="ok")

    @routes.get("/readyz", responses={503: {"model": Health, "description": "Not ready yet"}})
    async def get_readyz(response: Response) -> Health:
        """Everything that this process itself owns is there."""
        missing = [what for what, is_there in owned.items() if not is_there()]
        if missing:
            response.status_code = 503
            return Health(status="not ready", missing=missing)
        return Health(status="ok")

    return routes
