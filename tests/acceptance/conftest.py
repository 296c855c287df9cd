"""The people who take part in the stories."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx2
import pytest
from tests.acceptance.programs import program
from tests.acceptance.site import Site
from tests.acceptance.visitor import Visitor, sign_in


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
    sign_in(visitor, site, "Olga Organizer")
    assert visitor.page.status == 200
    return visitor


@pytest.fixture
def reviewer(new_visitor: Callable[[], Visitor], site: Site) -> Visitor:
    """Somebody who has signed in to review."""
    visitor = new_visitor()
    visitor.open("/back-office")
    sign_in(visitor, site, "Rita Reviewer", organizer=False, reviewer=True)
    assert visitor.page.status == 200
    return visitor


@pytest.fixture
def client(site: Site) -> Iterator[httpx2.Client]:
    """A program without any rights."""
    with program(site.url) as made:
        yield made
