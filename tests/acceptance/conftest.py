"""Who takes part in the stories."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx2
import pytest
from tests.acceptance.programs import program
from tests.acceptance.site import Site
from tests.acceptance.visitor import Visitor


@pytest.fixture
def new_visitor(site: Site) -> Iterator[Callable[[], Visitor]]:
    """Makes people who have a browser each."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(Visitor(site.url))


@pytest.fixture
def speaker(new_visitor: Callable[[], Visitor]) -> Visitor:
    """Somebody who is not signed in."""
    return new_visitor()


@pytest.fixture
def organizer(new_visitor: Callable[[], Visitor], site: Site) -> Visitor:
    """Somebody who has signed in and looks at the back office."""
    visitor = new_visitor()
    visitor.open("/back-office")
    visitor.press("Sign in", {"Name": "Olga Organizer", "Passcode": site.passcode})
    assert visitor.page.status == 200
    return visitor


@pytest.fixture
def client(site: Site) -> Iterator[httpx2.Client]:
    """A program without any rights."""
    with program(site.url) as made:
        yield made
