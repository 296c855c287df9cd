"""The command `delivery`."""

import typer

app = typer.Typer(
    help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)


@app.callback()
def delivery() -> None:
    """Take changes from a commit to the people who use the platform."""


def main() -> None:
    """Run the command."""
    app()
