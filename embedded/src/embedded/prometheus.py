"""Prometheus from Debian, unpacked into the project folder: nothing of it runs by itself."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from embedded.home import PROJECT
from testkit.process import Program, answers

FOLDER = PROJECT / ".local" / "prometheus"
RULES = PROJECT / "observability" / "rules"
SCRAPE_SECONDS = 2
# The libraries are those of its pages.
PACKAGES = (
    "prometheus",
    "fonts-glyphicons-halflings",
    "libjs-bootstrap4",
    "libjs-d3",
    "libjs-eonasdan-bootstrap-datetimepicker",
    "libjs-jquery",
    "libjs-jquery-hotkeys",
    "libjs-moment",
    "libjs-moment-timezone",
    "libjs-mustache",
    "libjs-popper.js",
    "libjs-rickshaw",
)


class NotFoundError(Exception):
    """There is no Prometheus; the message is a sentence that says what to do."""


def find(name: str) -> str:
    """The path of `prometheus` or `promtool`, ours or one on the PATH; NotFoundError if none."""
    path = shutil.which(name, path=f"{FOLDER / 'usr' / 'bin'}{os.pathsep}{os.environ['PATH']}")
    if path is None:
        raise NotFoundError(
            f"There is no {name}: install it, or run `python -m embedded.prometheus` on Debian."
        )
    return path


def program(data: Path, port: int, targets: Mapping[str, int]) -> Program:
    """Prometheus on 127.0.0.1, reading the metrics ports of `targets`, with the project's rules."""
    data.mkdir(parents=True, exist_ok=True)
    seconds = f"{SCRAPE_SECONDS}s"
    configuration = {
        "global": {"scrape_interval": seconds, "evaluation_interval": seconds},
        "rule_files": [str(RULES / "*.yaml")],
        "scrape_configs": [
            {"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{each}"]}]}
            for job, each in targets.items()
        ],
    }
    # JSON is YAML.
    (data / "prometheus.yml").write_text(json.dumps(configuration))
    url = f"http://127.0.0.1:{port}"
    command = [
        find("prometheus"),
        f"--config.file={data / 'prometheus.yml'}",
        f"--storage.tsdb.path={data / 'series'}",
        "--storage.tsdb.retention.time=2d",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
    pages = FOLDER / "usr" / "share" / "prometheus" / "web"
    if pages.exists():
        # An option that Debian added.
        command.append(f"--web.local-assets={pages}")
    return Program("prometheus", command, lambda: answers(f"{url}/-/ready"), url=url)


def _install() -> None:
    with tempfile.TemporaryDirectory() as downloads:
        # apt reads as another user, where there is one.
        Path(downloads).chmod(0o777)
        command = ["apt-get", "download", "-qq", *PACKAGES]
        if subprocess.run(command, cwd=downloads, check=False).returncode and os.geteuid() == 0:  # noqa: S603
            subprocess.run(["apt-get", "update", "-qq"], check=False)  # noqa: S607
            subprocess.run(command, cwd=downloads, check=False)  # noqa: S603
        FOLDER.mkdir(parents=True, exist_ok=True)
        for package in Path(downloads).glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", str(package), str(FOLDER)], check=True)  # noqa: S603, S607


def main() -> None:
    """Install it unless it is here, and print where it is; or end with a sentence."""
    try:
        with suppress(NotFoundError):
            print(find("prometheus"))  # noqa: T201 - this is what the command is for
            return
        if shutil.which("apt-get"):
            _install()
        print(find("prometheus"))  # noqa: T201 - this is what the command is for
    except NotFoundError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
