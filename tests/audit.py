"""`make audit`: known vulnerabilities of everything in the lock.

Exits with 0 when there are none, 1 when there are, 2 when the advisories could not be asked: not to
know is no success.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

LOCK = Path(__file__).parents[1] / "requirements.lock"
SECONDS = 600


def advisories() -> list[dict[str, Any]] | None:
    """Return what pip-audit says of each package; None where it could not ask."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(LOCK)]
    options = ["--require-hashes", "--disable-pip", "--format=json", "--progress-spinner=off"]
    try:
        ended = subprocess.run(
            [*command, *options], capture_output=True, text=True, timeout=SECONDS, check=False
        )
        found: list[dict[str, Any]] = json.loads(ended.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError):
        return None
    return found


def main() -> None:
    """Print a line for each vulnerability."""
    found = advisories()
    if found is None or any("skip_reason" in each for each in found):
        print(
            "The advisories could not be asked for all packages, so nothing is known of them: "
            "docs/security.md says how to check by hand.",
            file=sys.stderr,
        )
        sys.exit(2)
    wrong = [
        f"{package['name']} {package['version']}: {each['id']}, mended in "
        f"{', '.join(each['fix_versions']) or 'no version yet'}"
        for package in found
        for each in package["vulns"]
    ]
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"No known vulnerability in {len(found)} packages.")


if __name__ == "__main__":
    main()
