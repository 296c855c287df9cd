"""The commands that the documentation names, as they are written there."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/**/*.md", "charts/**/README.md")
_BLOCK = re.compile(r"^( *)```(?:sh|bash|shell|console)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_FENCED = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`]+)`")
# Two words of helm or kubectl are a name for what is done and no command.
_COMMAND = re.compile(
    r"make(\s|$)|(helm|kubectl|git|promtool)\s+\S+\s+\S|(curl|python -m|consistency-job|delivery)\s"
)


@dataclass(frozen=True, slots=True)
class Table:
    """Return how each documented command is run: the content of table.yaml."""

    blocks_run_by: Mapping[str, str]
    run_by: Mapping[str, Sequence[str]]
    not_run: Mapping[str, str]

    def commands(self) -> list[str]:
        """Return all commands that the table knows."""
        return [*self.not_run, *(each for named in self.run_by.values() for each in named)]


def table() -> Table:
    """Return the content of table.yaml."""
    return Table(**yaml.safe_load(Path(__file__).with_name("table.yaml").read_text()))


def pages() -> Iterator[tuple[str, str]]:
    """Yield the name, relative to the project, and the text of each page."""
    for pattern in PAGES:
        for file in sorted(ROOT.glob(pattern)):
            yield str(file.relative_to(ROOT)), file.read_text()


def blocks(text: str) -> Iterator[str]:
    """Yield the fenced shell blocks of a page, without the indentation of a list."""
    for indentation, block in _BLOCK.findall(text):
        lines = (line.removeprefix(indentation) for line in block.splitlines(keepends=True))
        yield "".join(lines)


def commands(block: str) -> Iterator[str]:
    """Yield each command of a block on one line, without remarks; quoted text may span lines."""
    pending = ""
    for line in block.splitlines(keepends=True):
        pending += line
        if pending.endswith("\\\n"):
            continue
        try:
            words = shlex.split(pending, comments=True)
        except ValueError:
            continue  # in the middle of a quotation
        if words:
            yield normalized(_without_remark(pending))
        pending = ""


def inline_commands(text: str) -> Iterator[str]:
    """Yield the commands that the sentences of a page name."""
    for span in _SPAN.findall(_FENCED.sub("", text)):
        if _COMMAND.match(span):
            yield normalized(span)


def normalized(command: str) -> str:
    """Return a command on one line with single blanks."""
    return " ".join(command.replace("\\\n", " ").split())


def _without_remark(command: str) -> str:
    lines = command.splitlines()
    return "\n".join(re.sub(r"(^|\s)#\s.*$", "", line) for line in lines)
