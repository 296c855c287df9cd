"""Fixtures that the tests of every folder share."""

from contextlib import suppress
from importlib import import_module

pytest_plugins = ["testkit.plugin", "testkit.contract.plugin"]

# Folders of these names hold a package of the same name, for which pytest would take the folder.
for _package in ("delivery", "embedded", "frontend"):
    # Where a service is tested alone there is no other.
    with suppress(ModuleNotFoundError):
        import_module(_package)
