"""The output of commands: tables for people, lines and JSON for programs."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import typer
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that a command has found, in each form in which it is printed."""

    data: Mapping[str, object]
    plain: str
    cells: Sequence[str]


def show(rows: Sequence[Row], columns: Sequence[str], *, as_json: bool) -> None:
    """Print a JSON list, or for people a table, or else a line for each row."""
    if as_json:
        typer.echo(json.dumps([each.data for each in rows], indent=2))
    elif rows and sys.stdout.isatty():
        table = Table(*columns)
        for each in rows:
            table.add_row(*each.cells)
        Console().print(table)
    else:
        for each in rows:
            typer.echo(each.plain)
