"""The git program, and what is asked of it."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from delivery.commits import Commit
from delivery.problems import DeliveryError

PATHS_ALONE = ("-r", "-z", "--name-only", "--no-renames")


class Git:
    """A repository, by any folder of its checkout."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        ended = self._start("rev-parse", "--show-toplevel")
        if ended.returncode:
            raise DeliveryError(f"{folder} is in no checkout of a git repository.")
        self._folder = Path(ended.stdout.rstrip("\n"))

    @property
    def root(self) -> Path:
        """The folder that holds the whole checkout."""
        return self._folder

    def demand_history(self) -> None:
        """Raise DeliveryError where older commits are missing: nothing can be told without them."""
        if self._run("rev-parse", "--is-shallow-repository").strip() == "true":
            raise DeliveryError(
                "This clone is shallow, and older commits decide here:"
                " run `git fetch --unshallow --tags` first."
            )

    def commit(self, revision: str) -> str:
        """Return the hash of the commit that a revision names."""
        found = self._start(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
        )
        if found.returncode:
            raise DeliveryError(f"This repository has no commit {revision!r}.")
        return found.stdout.strip()

    def empty_tree(self) -> str:
        """Return the hash of what stands before the first commit."""
        return self._run("hash-object", "-t", "tree", "--stdin").strip()

    def fork_of(self, one: str, other: str) -> str:
        """Return the last commit that two have in common; without any it is the empty tree."""
        found = self._start("merge-base", one, other)
        return found.stdout.strip() or self.empty_tree()

    def file(self, revision: str, path: str) -> str | None:
        """Return the text of a file, or None where there is none."""
        found = self._start("cat-file", "blob", f"{revision}:{path}")
        return None if found.returncode else found.stdout

    def files(self, revision: str, folder: str) -> frozenset[str]:
        """Return the paths of all files in a folder."""
        return _split(self._run("ls-tree", "-r", "-z", "--name-only", revision, f"{folder}/"))

    def changed(self, before: str, after: str) -> frozenset[str]:
        """Return the paths at which two trees differ; what was renamed has both of its paths."""
        return _split(
            self._run("diff-tree", "-r", "-z", "--name-only", "--no-renames", before, after)
        )

    def commits(self, before: str | None, after: str) -> Sequence[Commit]:
        """Return the commits since another, newest first; a merge has what it brought."""
        wanted = [after, f"^{before}"] if before else [after]
        listed = self._run("log", "-z", "--topo-order", "--format=%H%x00%B", *wanted)
        fields = listed.split("\0")
        messages = dict(zip(fields[0::2], fields[1::2], strict=False))
        paths = self._paths(messages)
        return [Commit(each, message, paths[each]) for each, message in messages.items()]

    def _paths(self, hashes: Mapping[str, str]) -> Mapping[str, frozenset[str]]:
        told = self._run(
            *("diff-tree", "--stdin", "--root", "--always", "--diff-merges=first-parent"),
            *PATHS_ALONE,
            stdin="".join(f"{each}\n" for each in hashes),
        )
        found: dict[str, set[str]] = {each: set() for each in hashes}
        current: set[str] = set()
        for field in told.split("\0"):
            if field in found:
                current = found[field]
            elif field:
                current.add(field)
        return {each: frozenset(paths) for each, paths in found.items()}

    def tags(self, pattern: str, merged: str | None = None) -> Sequence[str]:
        """Return the tags of a form, or only those that a commit has before it."""
        before = [f"--merged={merged}"] if merged else []
        return self._run("tag", "--list", *before, pattern).splitlines()

    def uncommitted(self) -> str | None:
        """Return the hash of the tree that stands here, or None where it is the commit's."""
        if not self._run("status", "--porcelain"):
            return None
        with TemporaryDirectory() as folder:
            index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            self._run("add", "--all", env=index)
            return self._run("write-tree", env=index).strip()

    def _run(self, *arguments: str, stdin: str = "", env: Mapping[str, str] | None = None) -> str:
        ended = self._start(*arguments, stdin=stdin, env=env)
        if ended.returncode:
            said = " ".join(ended.stderr.split())
            raise DeliveryError(f"git {arguments[0]} failed: {said}")
        return ended.stdout

    def _start(
        self, *arguments: str, stdin: str = "", env: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        try:
            return subprocess.run(  # noqa: S603
                ["git", *arguments],  # noqa: S607
                cwd=self._folder,
                env={**os.environ, **(env or {})},
                input=stdin,
                capture_output=True,
                encoding="utf-8",
                errors="surrogateescape",
                check=False,
            )
        except FileNotFoundError as error:
            raise DeliveryError(
                "This command needs git, which this machine does not have."
            ) from error


def _split(paths: str) -> frozenset[str]:
    return frozenset(each for each in paths.split("\0") if each)
