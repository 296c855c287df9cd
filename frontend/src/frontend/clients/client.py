"""A service that this one calls, and the errors of all calls."""

from collections.abc import Mapping
from typing import Any, Self, TypeVar
from urllib.parse import quote
from uuid import UUID

import httpx2
from pydantic import BaseModel, ValidationError

from servicekit.health import Info
from servicekit.http import Credentials, Neighbour, NeighbourUnavailableError
from servicekit.problems import ProblemDocument


class ProblemAnswerError(Exception):
    """Another service refused; `problem` is its answer."""

    def __init__(self, problem: ProblemDocument) -> None:
        super().__init__(problem.detail)
        self.problem = problem

    @property
    def slug(self) -> str:
        """The kind of problem, such as `stale-edit`."""
        return self.problem.type.removeprefix("urn:problem:")

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.problem.status

    def member(self, name: str) -> Any:
        """A member that only this kind of problem has, such as `opens_at`; None where absent."""
        return (self.problem.model_extra or {}).get(name)


AnswerT = TypeVar("AnswerT", bound=BaseModel)


class Client:
    """One neighbour. Every call raises ProblemAnswerError when it refuses, and
    NeighbourUnavailableError when it can't be reached, is too slow, or is not understood.
    """

    def __init__(self, neighbour: Neighbour, credentials: Credentials | None = None) -> None:
        self.neighbour = neighbour
        self._credentials = credentials

    def acting_for(self, credentials: Credentials) -> Self:
        """The same neighbour, called in the name of whose credentials these are."""
        return type(self)(self.neighbour, credentials)

    async def info(self) -> Info:
        """Return which build answers, and where it runs."""
        return await self._call(Info, "GET", "/info")

    async def close(self) -> None:
        """Give the connections back."""
        await self.neighbour.close()

    async def _call(
        self,
        kind: type[AnswerT],
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AnswerT:
        response = await self.neighbour.request(
            method,
            path,
            json=json,
            params=params,
            headers=headers,
            credentials=self._credentials,
        )
        if response.is_success:
            return self.neighbour.parse(kind, response)
        raise refusal(self.neighbour, response)


def refusal(neighbour: Neighbour, response: httpx2.Response) -> Exception:
    """The error to raise for an answer that is not a success."""
    status = response.status_code
    try:
        problem = ProblemDocument.model_validate_json(response.content)
    except ValidationError:
        return NeighbourUnavailableError(neighbour.name, f"its answer {status} is not understood")
    if problem.status != status or status >= 500:
        return NeighbourUnavailableError(neighbour.name, f"it answered {status}: {problem.detail}")
    return ProblemAnswerError(problem)


def segment(value: UUID | str) -> str:
    # A dot is quoted too: ".." would be a way up.
    return quote(str(value), safe="").replace(".", "%2E")
