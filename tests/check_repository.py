"""Checks that no linter makes: generated files are fresh, files are short, the lock is anonymous.

`--write` writes the generated files instead of complaining about them.
"""

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic.fields import FieldInfo

from delivery.generate import charts, dashboards
from delivery.generate.locks import service_locks, undeclared
from servicekit import field_errors
from servicekit.problems import ProblemType
from servicekit.settings import ServerSettings

ROOT = Path(__file__).parents[1]
PROBLEMS = ROOT / "docs" / "problems.md"
SETTINGS = ROOT / "docs" / "settings.md"
TORTURE = ROOT / "tests" / "torture" / "torture.py"
MOST_LINES = 400
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
QUESTION = re.compile(r"(What|Who|Whoever|Whose|Whether|Where|Which|Why|How|When)\b")
SERVICES = {
    "Any service": "servicekit.problems",
    "c4p-service": "c4p.problems",
    "agenda-service": "agenda.problems",
    "email-service": "email_service.problems",
    "frontend": "frontend.problems",
}
SETTINGS_INTRODUCTION = """# Settings

Everything is read from the environment. A missing or wrong value stops the start with one sentence
that names it. `c4p-migrate` needs `DATABASE_URL` only; consistency-job listens nowhere, so it has
none of `HOST`, `PORT`, `METRICS_PORT`, `SHUTDOWN_GRACE_SECONDS` and `MAX_BODY_BYTES`.

`SSL_CERT_FILE` names a file of authorities that are believed in place of the system's, and
`SSL_CERT_DIR` a folder of more. PostgreSQL's client takes `sslrootcert` in `DATABASE_URL` instead,
and what sends traces `OTEL_EXPORTER_OTLP_CERTIFICATE`.

This page is written by `make docs` from the code, and `make lint` fails when it is stale.
"""
INTRODUCTION = """# Problems

Every error is a problem document (RFC 9457, `application/problem+json`) with at least `type`,
`title`, `status` and `detail`. Compare `type`; show `detail`. A problem of type `invalid-request`
lists each wrong field in `errors` as `{"field", "type", "detail"}`, where `type` is one of the last
table here. A request that was answered with a status from 400 to 499 has changed nothing.

This page is written by `make docs` from the code, and `make lint` fails when it is stale.
"""


def problems_page() -> str:
    """docs/problems.md as it should be."""
    parts = [INTRODUCTION]
    seen: set[ProblemType] = set()
    for service, module in SERVICES.items():
        found = [
            value
            for value in vars(importlib.import_module(module)).values()
            if isinstance(value, ProblemType) and value not in seen
        ]
        seen.update(found)
        rows = [
            f"| `{each.uri}` | {each.status} | {each.title} | {each.cure} |"
            for each in sorted(found, key=lambda each: (each.status, each.slug))
        ]
        if rows:
            head = ["| type | status | title | what to do |", "|---|---:|---|---|"]
            parts.append("\n".join([f"## {service}\n", *head, *rows]) + "\n")
    rows = [f"| `{each.uri}` | {each.meaning} |" for each in field_errors.ALL]
    head = ["## A field of a request\n", "| type | what it means |", "|---|---|"]
    return "\n".join([*parts, *head, *rows]) + "\n"


def settings_page() -> str:
    """docs/settings.md as it should be."""
    parts = [SETTINGS_INTRODUCTION]
    shared = {**ServerSettings.model_fields}
    parts.append(_settings_table("Every service", shared))
    for title, kind in charts.SERVICES.items():
        own = {name: each for name, each in kind.model_fields.items() if name not in shared}
        parts.append(_settings_table(title, own))
    return "\n".join(parts)


def _settings_table(title: str, fields: dict[str, FieldInfo]) -> str:
    rows = [f"## {title}\n", "| setting | default | what it is |", "|---|---|---|"]
    for name, each in fields.items():
        default = "needed" if each.is_required() else f"`{each.default}`"
        default = "none" if each.default is None else default
        rows.append(f"| `{name.upper()}` | {default} | {each.description} |")
    return "\n".join(rows) + "\n"


def tracked() -> list[Path]:
    """The files of the repository, as git knows them."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for line in listed.stdout.splitlines() if (path := ROOT / line).is_file()]


def too_long(paths: list[Path]) -> Iterator[str]:
    """Source files that nobody can see whole."""
    for path in paths:
        if path.suffix in {".py", ".html", ".css", ".js", ".toml", ".md"}:
            lines = len(path.read_text().splitlines())
            if lines > MOST_LINES:
                yield f"{path.relative_to(ROOT)} has {lines} lines; {MOST_LINES} is the most."


def named_indexes() -> Iterator[str]:
    """Addresses of package indexes in the lock: it must install from any mirror."""
    for number, line in enumerate((ROOT / "requirements.lock").read_text().splitlines(), 1):
        if re.search(r"https?://|--(extra-)?index-url", line):
            yield f"requirements.lock:{number} names an address."


def unpinned() -> Iterator[str]:
    """Yield what the lock would install without knowing exactly what it is."""
    whole = (ROOT / "requirements.lock").read_text().replace("\\\n", " ")
    for line in whole.splitlines():
        if "==" not in line or "--hash=sha256:" not in line:
            yield f"requirements.lock pins no version and hash in {line.strip()!r}."


def unclear(paths: list[Path]) -> Iterator[str]:
    """Docstrings that begin as a question does, in place of what the thing is or does."""
    for path in paths:
        if path.suffix == ".py":
            for node in ast.walk(ast.parse(path.read_text())):
                if not isinstance(node, DOCUMENTED):
                    continue
                if (text := ast.get_docstring(node)) and QUESTION.match(text):
                    place = f"{path.relative_to(ROOT)}:{node.body[0].lineno}"
                    yield f"{place} begins with a question; say what the thing is or does."


def left_to_chance(paths: list[Path]) -> Iterator[str]:
    """Tests that do something else in each run, which is for `make torture` alone."""
    for path in paths:
        if path.suffix == ".py" and "tests" in path.parts and path not in {TORTURE, Path(__file__)}:
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if re.search(r"\bSystemRandom\b|\bRandom\(\)|\btime_ns\b", line):
                    yield f"{path.relative_to(ROOT)}:{number} is left to chance; fix a seed."


def pages() -> Mapping[Path, str]:
    """Every generated file as it should be."""
    return {
        PROBLEMS: problems_page(),
        SETTINGS: settings_page(),
        **service_locks(),
        **dashboards.pages(),
        **charts.pages(),
    }


def stale(expected: Mapping[Path, str]) -> Iterator[str]:
    """Files that do not say what they should."""
    for path, text in expected.items():
        if not path.exists() or path.read_text() != text:
            yield f"{path.relative_to(ROOT)} is stale: run `make docs`."


def main() -> None:
    """Print what is wrong, a sentence each; exit with 1 if anything is."""
    expected = pages()
    if "--write" in sys.argv:
        for path, text in expected.items():
            path.write_text(text)
    wrong = [
        *stale(expected),
        *too_long(tracked()),
        *left_to_chance(tracked()),
        *unclear(tracked()),
        *named_indexes(),
        *unpinned(),
        *undeclared(),
    ]
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
