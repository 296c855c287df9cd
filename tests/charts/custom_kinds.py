"""The schemas of kinds that are not Kubernetes' own, from the Go modules that ship them.

Nothing of them is kept here: a version and its hash are, and Go's own command gets it once.
"""

import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from tests.charts.rendering import Object

SECONDS = 120


@dataclass(frozen=True, slots=True)
class Kind:
    """The place of a kind's definition: a Go module, the hash of all that is in it, and a file."""

    module: str
    hash: str
    file: str


ROLLOUT = Kind(
    "github.com/argoproj/argo-rollouts@v1.10.0",
    "h1:1/DTeu/eGzJzcz8FxMBFzr0jlNQia/lnctkw83AUph0=",
    "manifests/crds/rollout-crd.yaml",
)
TRAEFIK_SERVICE = Kind(
    "github.com/traefik/traefik/v3@v3.6.0",
    "h1:axM42ACSLlB/NWCAx/DTYCrSfmhMukVjXPJDkbZAk1c=",
    "docs/content/reference/dynamic-configuration/traefik.io_traefikservices.yaml",
)


def module(kind: Kind) -> Path:
    """The folder of its module. Skips the test where Go is not, or can't get it."""
    if not shutil.which("go"):
        pytest.skip(f"needs Go, by which it gets {kind.module}")
    with tempfile.TemporaryDirectory() as nowhere:
        ended = subprocess.run(
            ["go", "mod", "download", "-json", kind.module],
            cwd=nowhere,
            # The hash stands here, so nobody else has to be asked for it.
            env={**os.environ, "GONOSUMDB": "*", "GOFLAGS": ""},
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
    said = json.loads(ended.stdout or "{}")
    if ended.returncode != 0:
        pytest.skip(f"Go can't get {kind.module}: {said.get('Error', ended.stderr)}")
    assert said["Sum"] == kind.hash, f"{kind.module} is another than it was"
    return Path(said["Dir"])


@cache
def validator(kind: Kind) -> jsonschema_rs.Draft202012Validator:
    """Return what judges an object of a kind: by its definition, and that it has nothing else."""
    definition = yaml.load((module(kind) / kind.file).read_text(), yaml.CSafeLoader)
    (version,) = definition["spec"]["versions"]
    return jsonschema_rs.Draft202012Validator(_closed(version["schema"]["openAPIV3Schema"]))


def _closed(schema: Any) -> Any:
    """Without room for what it does not name: a controller would ignore it without a word."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(each) for name, each in schema.items()}
    is_open = schema.get("x-kubernetes-preserve-unknown-fields", False)
    if isinstance(schema.get("properties"), dict) and not is_open:
        closed.setdefault("additionalProperties", False)
    return closed


def complaints(kind: Kind, found: Object) -> list[str]:
    """Return what is wrong with an object, a sentence each with its place."""
    errors = validator(kind).iter_errors(found)
    return [f"{'/'.join(map(str, each.instance_path))}: {each.message}" for each in errors]
