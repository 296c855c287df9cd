"""Finds or installs a Chromium for the browser tests; prints where it is.

In this order: what CHROMIUM names, what is on the PATH, Debian's package (as root), and the build
that Playwright brings, kept in the project folder.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")
PLAYWRIGHT_BUILDS = Path(__file__).parents[2] / ".local" / "browsers"


def find() -> str | None:
    """The path of a Chromium that is already here."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named
    on_path = next((path for name in NAMES if (path := shutil.which(name))), None)
    if on_path:
        return on_path
    builds = sorted(PLAYWRIGHT_BUILDS.glob("chromium-*/chrome-linux*/chrome"))
    return str(builds[-1]) if builds else None


def install() -> str | None:
    """The path of a Chromium that was installed just now."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=False, env=quiet)
        package = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]
        subprocess.run(package, check=False, env=quiet, stdout=subprocess.DEVNULL)
    else:
        command = [sys.executable, "-m", "playwright", "install", "chromium"]
        env = {**os.environ, "PLAYWRIGHT_BROWSERS_PATH": str(PLAYWRIGHT_BUILDS)}
        subprocess.run(command, check=False, env=env)
    return find()


def main() -> None:
    """Print the path, or end with a sentence."""
    found = find() or install()
    if found is None:
        sys.exit("No Chromium was found or could be installed; CHROMIUM may name one.")
    print(found)


if __name__ == "__main__":
    main()
