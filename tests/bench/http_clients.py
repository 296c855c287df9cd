"""httpx beside its successor httpx2: the processor time of one call to a bare ASGI hello."""

import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import httpx
import httpx2
import uvloop

from testkit.ports import free_port
from testkit.waiting import wait_for

CALLS = 3000
ROUNDS = 3


async def microseconds(library: ModuleType, url: str) -> float:
    """The processor time of a call, in µs, on one connection that stays open."""
    async with library.AsyncClient() as client:
        for _ in range(CALLS // 10):
            await client.get(url)
        before = time.process_time()
        for _ in range(CALLS):
            await client.get(url)
        return (time.process_time() - before) / CALLS * 1e6


def _answers(url: str) -> bool:
    try:
        return httpx2.get(url).status_code == 200
    except httpx2.HTTPError:
        return False


def main() -> None:
    """Measure both in turn, so that a busy machine is busy for both."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    hello = Path(__file__).with_name("hello.py")
    server = subprocess.Popen([sys.executable, str(hello), str(port)])
    try:
        wait_for(lambda: _answers(url), "the server")
        for _ in range(ROUNDS):
            for library in (httpx, httpx2):
                cost = uvloop.run(microseconds(library, url))
                print(f"{library.__name__} {library.__version__}: {cost:.0f} µs a call")
    finally:
        server.terminate()
        server.wait(10)


if __name__ == "__main__":
    main()
