"""Writes each chart's values.schema.json and README.md from its values.yaml and the settings.

`--check` writes nothing and fails when a file is not what this would write.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import fill
from typing import Any

import yaml

from agenda.settings import AgendaSettings, ScheduleFile
from c4p.settings import C4pSettings
from consistency.settings import JobSettings
from development_provider.settings import ProviderSettings
from email_service.settings import EmailSettings
from frontend.settings import FrontendSettings
from servicekit.settings import Settings

CHARTS = Path(__file__).parent
SERVICES: Mapping[str, type[Settings]] = {
    "frontend": FrontendSettings,
    "agenda-service": AgendaSettings,
    "c4p-service": C4pSettings,
    "email-service": EmailSettings,
    "consistency-job": JobSettings,
    "development-provider": ProviderSettings,
}
SECRET = frozenset({"DATABASE_URL", "VALKEY_URL", "CLIENTS"})
"""Secret beside those that their type says are: they have passwords in them."""
WAY_IN = frozenset({"route", "ingress"})
SERVING = frozenset({"replicas", "autoscaling", "podDisruptionBudget", "shutdown", "metrics"})
UNUSED: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("agenda-service", "c4p-service", "email-service"), WAY_IN),
    "consistency-job": WAY_IN | SERVING,
}
"""Shared values that would do nothing in a chart: to set one there is an error."""
INTRODUCTIONS = {
    "library": "The charts of all services have these values; `global` sets them for all at once.",
    "conference": "[Install it](../../docs/install.md), [operate it](../../docs/operate.md).",
}
SET_BY_THE_CHART = frozenset({"POD_ID", "POD_NAMESPACE", "POD_NODE_NAME", "SERVICE_VERSION"})

Schema = dict[str, Any]
TEXTS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
OBJECTS: Schema = {"type": "array", "items": {"type": "object"}}
AMOUNT: Schema = {"type": ["string", "number"]}
AMOUNTS: Schema = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"cpu": AMOUNT, "memory": AMOUNT, "ephemeral-storage": AMOUNT},
}
PERCENT: Schema = {"type": "integer", "minimum": 1, "maximum": 100}
PLACE: Schema = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "ports": {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 65535}},
        "peers": OBJECTS,
    },
}
TEXT: Schema = {"type": "string", "minLength": 1}
NAMES: Schema = {"type": "array", "items": TEXT}
REFERENCE: Schema = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"name": TEXT, "key": TEXT},
    "required": ["name", "key"],
}
FORMS: Mapping[str, Schema] = {
    "annotations": TEXTS,
    "calledBy": NAMES,
    "calls": NAMES,
    "cpuPercent": PERCENT,
    "digest": {"type": "string", "pattern": "^(sha256:[0-9a-f]{64})?$"},
    "hostnames": NAMES,
    "labels": TEXTS,
    "limits": AMOUNTS,
    "maxUnavailable": {"type": ["integer", "string"]},
    "nodeSelector": TEXTS,
    "parentRefs": OBJECTS,
    "path": {"type": "string", "pattern": "^/"},
    "places": {"type": "object", "additionalProperties": PLACE},
    "podAnnotations": TEXTS,
    "podLabels": TEXTS,
    "pullPolicy": {"enum": ["Always", "IfNotPresent", "Never"]},
    "pullSecrets": OBJECTS,
    "requests": AMOUNTS,
    "tolerations": OBJECTS,
}
"""Values by their name whose default does not tell what else they may be."""


def values(chart: str) -> Schema:
    """The defaults of a chart."""
    loaded: Schema = yaml.safe_load((CHARTS / chart / "values.yaml").read_text())
    return loaded


def form(name: str, default: object) -> Schema:
    """What a value may be: as its name says, or else anything of its default's type."""
    if name in FORMS:
        return FORMS[name]
    if name == "schedule" and isinstance(default, dict):
        return _schedule()
    match default:
        case bool():
            return {"type": "boolean"}
        case int():
            return {"type": "integer", "minimum": 0}
        case str():
            return {"type": "string"}
        case dict():
            return closed({each: form(each, value) for each, value in default.items()})
    raise TypeError(f"The form of {name} does not follow from {default!r}: add it to FORMS.")


def closed(properties: Schema) -> Schema:
    """An object that has nothing but `properties`."""
    return {"type": "object", "additionalProperties": False, "properties": properties}


def plain_settings(kind: type[Settings]) -> Schema:
    """What may be set in the open, by the names of the environment."""
    described = kind.model_json_schema()["properties"]
    return {
        name.upper(): _setting(schema)
        for name, schema in described.items()
        if not _is_secret(name.upper(), schema) and name.upper() not in SET_BY_THE_CHART
    }


def _is_secret(name: str, schema: Schema) -> bool:
    forms = [schema, *schema.get("anyOf", ())]
    return name in SECRET or any(each.get("format") == "password" for each in forms)


def _setting(schema: Schema) -> Schema:
    told = next((each for each in schema.get("anyOf", ()) if each["type"] != "null"), schema)
    kept = ("enum", "type", "minimum", "maximum", "exclusiveMinimum")
    found = {key: told[key] for key in kept if key in told}
    is_simple = found.get("type") in {"integer", "number", "boolean", "string"}
    return found if is_simple else {"type": "string"}


def secret_settings(kind: type[Settings]) -> Schema:
    """Any setting may be in a Secret, but for those that say where the pod is and what it is."""
    names = sorted({each.upper() for each in kind.model_fields} - SET_BY_THE_CHART)
    return closed({name: {"$ref": "#/$defs/reference"} for name in names})


def shared(chart: str = "library") -> Schema:
    """The values that a service has in common with others."""
    rest = {"settings", "secrets", *UNUSED.get(chart, ())}
    return {name: form(name, each) for name, each in values("library").items() if name not in rest}


def shared_everywhere() -> Schema:
    """`global`: any shared value, and any setting that some service has."""
    kinds = SERVICES.values()
    settings = {name: each for kind in kinds for name, each in plain_settings(kind).items()}
    return closed(
        {**shared(), "settings": closed(settings), "generateSecrets": {"type": "boolean"}}
    )


def service_schema(chart: str) -> Schema:
    """What a service's values may be."""
    kind = SERVICES[chart]
    image: Schema = form("image", {**values("library")["image"], **values(chart)["image"]})
    properties = {
        **shared(chart),
        "image": image,
        "settings": closed(plain_settings(kind)),
        "secrets": secret_settings(kind),
        # The umbrella judges it, once for all services.
        "global": {"type": "object"},
        "library": {"type": "object"},
    }
    own = {name: each for name, each in values(chart).items() if name not in properties}
    properties |= {name: form(name, each) for name, each in own.items()}
    return {"$defs": {"reference": REFERENCE}, **closed(properties)}


def umbrella_schema() -> Schema:
    """What the umbrella's values may be; those of a service are for its own schema to judge."""
    nested = {"type": "object"}
    parts = {
        name: nested if name in SERVICES else form(name, each)
        for name, each in values("conference").items()
        if name != "global"
    }
    return closed({**parts, "global": shared_everywhere(), "library": nested})


def library_schema() -> Schema:
    """What the defaults are that all services share."""
    nested = {"type": "object"}
    return closed({**shared(), "settings": nested, "secrets": nested, "global": nested})


def _schedule() -> Schema:
    """All of it or nothing."""
    schema: Schema = _bare(ScheduleFile.model_json_schema())
    schema["properties"]["rooms"]["items"] = schema.pop("$defs")["RoomEntry"]
    needed = schema.pop("required")
    schema["dependentRequired"] = dict.fromkeys(needed, needed)
    return schema


def _bare(schema: Any) -> Any:
    """Without what only people read, and formats, which pydantic and Helm take differently."""
    if isinstance(schema, list):
        return [_bare(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    dropped = {"title", "description", "format"}
    # In `properties` the names are ours.
    return {
        key: {name: _bare(each) for name, each in value.items()}
        if key in {"properties", "$defs"}
        else _bare(value)
        for key, value in schema.items()
        if key not in dropped
    }


def schema_of(chart: str) -> str:
    """The text of values.schema.json."""
    match chart:
        case "library":
            schema = library_schema()
        case "conference":
            schema = umbrella_schema()
        case _:
            schema = service_schema(chart)
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps({"$schema": dialect, **schema}, indent=2, ensure_ascii=False) + "\n"


def explained(chart: str) -> Iterator[tuple[str, object, str]]:
    """The path, the default and the meaning of each value that has a comment `# -- meaning`."""
    comment: list[str] = []
    path: list[str] = []
    for line in (CHARTS / chart / "values.yaml").read_text().splitlines():
        text = line.strip()
        if text.startswith("# -- "):
            comment = [text.removeprefix("# -- ")]
        elif text.startswith("#") and comment:
            comment.append(text.removeprefix("# "))
        elif found := re.match(r"( *)([\w-]+):", line):
            path = [*path[: len(found[1]) // 2], found[2]]
            if comment:
                yield ".".join(path), _at(values(chart), path), " ".join(comment)
            comment = []
        else:
            comment = []


def _at(tree: Any, path: list[str]) -> object:
    for name in path:
        tree = tree[name]
    return tree


def _introduction(chart: str) -> str:
    if chart in INTRODUCTIONS:
        return INTRODUCTIONS[chart]
    unused = ", ".join(f"`{each}`" for each in sorted(UNUSED.get(chart, ())))
    return (
        f"It has the [shared values](../library/README.md) too{unused and f', but for {unused}'}; "
        "its settings are explained in [Settings](../../docs/settings.md)."
    )


def readme_of(chart: str) -> str:
    """The text of README.md."""
    about = yaml.safe_load((CHARTS / chart / "Chart.yaml").read_text())
    rows = [
        f"| `{path}` | `{json.dumps(default, ensure_ascii=False)}` | {text} |"
        for path, default, text in explained(chart)
    ]
    parts = [
        f"# {chart}",
        fill(f"{about['description']}. {_introduction(chart)}", 100),
        "An unknown value is an error. This page is written by `make docs` from `values.yaml`.",
        "\n".join(["| value | default | what it is |", "|---|---|---|", *rows]),
    ]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Write the files, or say which ones are stale."""
    stale = []
    for chart in ("library", *SERVICES, "conference"):
        texts = {"values.schema.json": schema_of(chart), "README.md": readme_of(chart)}
        for name, text in texts.items():
            file = CHARTS / chart / name
            if "--check" not in sys.argv:
                file.write_text(text)
            elif not file.exists() or file.read_text() != text:
                stale.append(f"{file.relative_to(CHARTS.parent)} is stale: run `make docs`.")
    if stale:
        sys.exit("\n".join(stale))


if __name__ == "__main__":
    main()
