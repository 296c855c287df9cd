"""The client of Valkey on a real one: calls end in time, and fail as the service's own error."""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from servicekit.valkey import Valkey
from testkit.backing import valkey
from testkit.ports import free_port
from testkit.process import Process, running

LIMIT_SECONDS = 0.5
# More than the limit, however busy this machine is.
LONG_SECONDS = 15


class UnavailableError(Exception):
    """The exception of a service whose store is unavailable."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Process]:
    """A Valkey that a test may stop."""
    with running(valkey(tmp_path / "valkey", free_port()), tmp_path) as process:
        yield process


async def count(client: Valkey) -> int:
    async with client.commands() as commands:
        counted: int = await commands.incr("calls")
        return counted


async def test_script_runs_as_one_step(server: Process) -> None:
    async with Valkey(server.url, LONG_SECONDS, UnavailableError) as client:
        add = client.script("return redis.call('INCRBY', KEYS[1], ARGV[1])")
        assert [await add(["calls"], [2]), await add(["calls"], [3])] == [2, 5]
        assert await count(client) == 6


async def test_call_to_a_frozen_server_ends_in_time(server: Process) -> None:
    async with Valkey(server.url, LIMIT_SECONDS, UnavailableError) as client:
        await count(client)
        server.send(signal.SIGSTOP)
        started = monotonic()
        with pytest.raises(UnavailableError, match="TimeoutError"):
            await count(client)
        assert monotonic() - started < LONG_SECONDS
        server.send(signal.SIGCONT)


async def test_many_calls_to_a_frozen_server_end_in_the_time_of_one(server: Process) -> None:
    async with Valkey(server.url, LIMIT_SECONDS, UnavailableError) as client:
        await count(client)
        server.send(signal.SIGSTOP)
        started = monotonic()
        # More than there are connections: those that wait for one have the same limit.
        calls = [count(client) for _ in range(100)]
        failed = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(each) for each in failed} == {UnavailableError}
        assert monotonic() - started < LONG_SECONDS
        server.send(signal.SIGCONT)


async def test_call_after_a_restart_of_the_server_succeeds(server: Process) -> None:
    async with Valkey(server.url, LONG_SECONDS, UnavailableError) as client:
        before = await count(client)
        server.stop()
        server.start()
        assert await count(client) == before + 1


async def test_call_to_a_server_that_is_not_there_fails_as_the_services_own_error() -> None:
    nowhere = f"redis://127.0.0.1:{free_port()}/0"
    async with Valkey(nowhere, LONG_SECONDS, UnavailableError) as client:
        with pytest.raises(UnavailableError, match="ConnectionError"):
            await count(client)
