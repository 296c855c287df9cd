"""The command `delivery`."""

import sys
from pathlib import Path
from typing import Annotated

import typer
import yaml

from delivery import development_secrets, use_cases
from delivery.cluster import Cluster
from delivery.git import Git
from delivery.output import Row, show
from delivery.problems import DeliveryError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Range = Annotated[str, typer.Argument(metavar="FROM..TO", help="A range of commits.")]


@app.callback()
def delivery() -> None:
    """Take changes from a commit to the people who use the platform."""


@app.command()
def touched(commits: Range, json: Json = False) -> None:
    """Print the services that a range of commits touches, and why."""
    found = use_cases.touched(_here(), commits)
    show(
        [
            Row(
                {"service": each.service, "because": each.because, "content": each.content},
                plain=each.service,
                cells=(each.service, ", ".join(each.because), "yes" if each.content else "no"),
            )
            for each in found
        ],
        ("service", "because of", "released"),
        as_json=json,
    )


@app.command()
def version(
    service: Annotated[str | None, typer.Argument(help="One service; without it, all.")] = None,
    at: Annotated[str, typer.Option(metavar="REVISION", help="The commit.")] = "HEAD",
    json: Json = False,
) -> None:
    """Print the version of what a commit holds of a service, or of each."""
    git = _here()
    if service:
        found = [use_cases.next_version(git, service, at)]
    else:
        found = list(use_cases.next_versions(git, at))
    rows = [
        Row(
            {
                "service": each.service,
                "version": str(each.version),
                "previous": str(each.previous) if each.previous else None,
                "changed": each.changed,
            },
            plain=str(each.version) if service else f"{each.service} {each.version}",
            cells=(
                each.service,
                str(each.previous or "-"),
                str(each.version) if each.changed else "unchanged",
            ),
        )
        for each in found
    ]
    if service and not json:
        typer.echo(rows[0].plain)
    else:
        show(rows, ("service", "newest tag", "next version"), as_json=json)


@app.command()
def snapshot() -> None:
    """Print the version of what stands here, committed or not."""
    typer.echo(use_cases.snapshot(_here()))


@app.command()
def commits(commits: Range) -> None:
    """Refuse commits whose subjects have another form than CONTRIBUTING.md says."""
    wrong = use_cases.malformed(_here(), commits)
    for each in wrong:
        typer.echo(f"{each.hash[:12]} {each.subject}")
    if wrong:
        raise DeliveryError(
            "Write each subject as `area: what, and why`, or `fix(area): …` and `feat(area): …`"
            " where something is released."
        )


@app.command()
def secrets(
    namespace: Annotated[str, typer.Argument(help="Where they are made; it has to be there.")],
    public_url: Annotated[
        str, typer.Option(envvar="PUBLIC_URL", help="Where people reach the site.")
    ] = "http://localhost:8080",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the manifests alone, and ask no cluster.")
    ] = False,
    show_values: Annotated[
        bool, typer.Option("--show-values", help="With --dry-run: with random values in them.")
    ] = False,
    json: Json = False,
) -> None:
    """Make the Secrets of an environment for development, but for those that are there."""
    if dry_run:
        make = development_secrets.random_value if show_values else lambda: "…"
        made = development_secrets.secrets_of(development_secrets.chosen({}, make), public_url)
        manifests = (development_secrets.manifest(*each) for each in made.items())
        typer.echo(yaml.safe_dump_all(manifests, sort_keys=False, allow_unicode=True), nl=False)
        return
    found = use_cases.make_secrets(Cluster(namespace), public_url)
    states = {each.name: "made" if each.new else "was there" for each in found}
    rows = [
        Row({"secret": name, "state": state}, plain=f"{name} {state}", cells=(name, state))
        for name, state in states.items()
    ]
    show(rows, ("secret", "state"), as_json=json)
    if wrong := [f"{each.name} has no {', '.join(each.lacks)}" for each in found if each.lacks]:
        raise DeliveryError(
            f"{'; '.join(wrong)}: add what is missing, or delete the Secret and run this again."
        )


def _here() -> Git:
    return Git(Path.cwd())


def main() -> None:
    """Run the command; what is wrong with it is told in one sentence."""
    try:
        app()
    except DeliveryError as error:
        sys.exit(str(error))
