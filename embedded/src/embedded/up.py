"""`make up`: starts the platform, says where everything is, and stops it on Ctrl-C."""

import os
import signal
import sys
import time
from contextlib import suppress
from types import FrameType

from embedded.home import HomeError, default_home
from embedded.keycloak import ADMINISTRATOR, PEOPLE, KeycloakError
from embedded.plan import PROVIDERS
from embedded.platform import Platform, PlatformError
from embedded.ports import default_or_next_free_ports
from embedded.prometheus import NotFoundError
from embedded.supervised import NotAnsweringError

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
REFUSALS = (HomeError, KeycloakError, PlatformError, NotAnsweringError, NotFoundError)
"""Their messages are sentences for whoever started it."""

BANNER = """
The conference platform is ready, after {seconds:.1f} s.

  Site          {urls.site}
  Back office   {urls.site}/back-office
  Way in        {urls.site}/sign-in  as {people}, with the passcode  {passcode}
  Mail          {urls.mail}
  Identities    {urls.provider}  ({provider})
  API docs      {urls.site}/openapi.json, the public one
                {urls.agenda}/openapi.json
                {urls.c4p}/openapi.json
                {urls.email}/openapi.json
  Data          {home.data}
  Logs          {home.logs}
{observers}
`make demo` in another terminal fills it. Ctrl-C stops it; the data stays until `make reset`.
"""

WHO = {
    "development": ("whoever you like", "a provider for development alone"),
    "keycloak": (" or ".join(PEOPLE), f"Keycloak; {ADMINISTRATOR} has the same passcode"),
}
"""Who signs in, and what that is where they do, by what AUTH may be."""

OBSERVERS = """\
  Traces        {traces}
  Metrics       {prometheus}/graph
"""

STANDARD_OUTPUT = 1
"""The file descriptor."""


class _StopRequested(BaseException):
    pass


def main() -> None:
    """Run the platform until SIGINT, SIGTERM or the end of the terminal."""
    started = time.monotonic()
    for number in STOP_SIGNALS:
        # `nohup` asks for the end of the terminal to be ignored.
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _request_stop)
    home, observe = default_home(), os.environ.get("OBSERVE") == "1"
    auth = os.environ.get("AUTH") or "development"
    if auth not in PROVIDERS:
        sys.exit(f"AUTH is {' or '.join(PROVIDERS)}, and not {auth!r}.")
    people, provider = WHO[auth]
    try:
        with Platform(
            home,
            auth=auth,
            choose_ports=lambda: default_or_next_free_ports(_say, observe=observe),
            observe=observe,
        ) as platform:
            _say(
                BANNER.format(
                    seconds=time.monotonic() - started,
                    urls=platform.urls,
                    passcode=platform.passcode,
                    people=people,
                    provider=provider,
                    home=home,
                    observers=_observers(platform) if observe else "",
                )
            )
            platform.wait()
    except _StopRequested:
        _say("Stopped.")
    except REFUSALS as error:
        sys.exit(str(error))
    else:
        sys.exit(f"supervisor has ended and with it the platform; see {home.logs}.")


def _observers(platform: Platform) -> str:
    return OBSERVERS.format(traces=platform.url("traces"), prometheus=platform.url("prometheus"))


def _request_stop(_: int, __: FrameType | None) -> None:
    # One request is enough; a second Ctrl-C must not break off the orderly stop.
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    _say("\nStopping …")
    raise _StopRequested


def _say(text: str) -> None:
    # Not print(): a signal may come in the middle of a line, and a second print() inside of the
    # first is an error. A terminal that was closed can't be told anything; the stop has to go on.
    with suppress(OSError):
        os.write(STANDARD_OUTPUT, f"{text}\n".encode())


if __name__ == "__main__":
    main()
