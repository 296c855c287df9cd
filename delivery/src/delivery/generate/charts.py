"""Each chart's values.schema.json and README.md, from its values.yaml and the settings."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import fill
from typing import Any

import yaml

from agenda.settings import AgendaSettings, ScheduleFile
from c4p.settings import C4pSettings
from consistency.settings import JobSettings
from delivery.repository import ROOT
from development_provider.settings import ProviderSettings
from email_service.settings import EmailSettings
from frontend.settings import FrontendSettings
from servicekit.settings import Settings

CHARTS = ROOT / "charts"
SERVICES: Mapping[str, type[Settings]] = {
    "c4p-service": C4pSettings,
    "agenda-service": AgendaSettings,
    "email-service": EmailSettings,
    "frontend": FrontendSettings,
    "consistency-job": JobSettings,
    "development-provider": ProviderSettings,
}
SECRET = frozenset({"DATABASE_URL", "VALKEY_URL", "CLIENTS"})
"""Secret beside those that their type says are: they have passwords in them."""
WAY_IN = frozenset({"route", "ingress"})
SERVING = frozenset(
    {"replicas", "strategy", "autoscaling", "podDisruptionBudget", "shutdown", "metrics"}
)
UNUSED: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("agenda-service", "c4p-service", "email-service"), WAY_IN),
    "consistency-job": WAY_IN | SERVING,
    # Two versions beside each other would sign with different keys.
    "development-provider": frozenset({"strategy"}),
}
"""Shared values that would do nothing in a chart: to set one there is an error."""
INTRODUCTIONS = {
    "library": "The charts of all services have these values; `global` sets them for all at once.",
    "conference": "[Install it](../../docs/install.md), [operate it](../../docs/operate.md).",
}
SET_BY_THE_CHART = frozenset({"POD_ID", "POD_NAMESPACE", "POD_NODE_NAME"}) | {
    # These two by the image, which knows what it is.
    "SERVICE_VERSION",
    "SERVICE_SOURCE",
}

Schema = dict[str, Any]


def closed(properties: Schema, *required: str) -> Schema:
    """An object that has nothing but `properties`."""
    needed = {"required": list(required)} if required else {}
    return {"type": "object", "additionalProperties": False, "properties": properties, **needed}


def _text(pattern: str) -> Schema:
    return {"type": "string", "pattern": pattern}


def _list(item: Schema, least: int = 0) -> Schema:
    return {"type": "array", "items": item, **({"minItems": least} if least else {})}


TEXT: Schema = {"type": "string", "minLength": 1}
TEXTS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
COUNT: Schema = {"type": "integer", "minimum": 1}
PORT: Schema = {**COUNT, "maximum": 65535}
DURATION: Schema = {"type": ["integer", "string"], "minimum": 1, "pattern": "^[0-9]+[smh]$"}
# In the words of Argo Rollouts; each step is one of them.
STEP: Schema = {
    **closed(
        {
            "setWeight": {"type": "integer", "minimum": 0, "maximum": 100},
            "pause": closed({"duration": DURATION}),
        }
    ),
    "minProperties": 1,
    "maxProperties": 1,
}
AMOUNT: Schema = {
    "type": ["string", "number"],
    "pattern": "^[0-9]+([.][0-9]+)?([mkMGTPE]|[KMGTPE]i)?$",
    "minimum": 0,
}
AMOUNTS = closed({"cpu": AMOUNT, "memory": AMOUNT, "ephemeral-storage": AMOUNT})
SELECTOR = closed(
    {
        "matchLabels": TEXTS,
        "matchExpressions": _list(
            closed({"key": TEXT, "operator": TEXT, "values": _list(TEXT)}, "key", "operator")
        ),
    }
)
PEER: Schema = {
    **closed(
        {
            "podSelector": SELECTOR,
            "namespaceSelector": SELECTOR,
            "ipBlock": closed({"cidr": TEXT, "except": _list(TEXT)}, "cidr"),
        }
    ),
    "minProperties": 1,
}
# To Kubernetes nobody in particular is everybody.
PLACE = closed({"ports": _list(PORT), "peers": _list(PEER, least=1)})
PARENT = dict.fromkeys(("group", "kind", "namespace", "name", "sectionName"), TEXT)
TOLERATION = dict.fromkeys(("key", "operator", "value", "effect"), TEXT)
REFERENCE = closed({"name": TEXT, "key": TEXT}, "name", "key")
FORMS: Mapping[str, Schema] = {
    "annotations": TEXTS,
    "calledBy": _list(TEXT),
    "calls": _list(TEXT),
    "cpu": AMOUNT,
    "digest": _text("^(sha256:[0-9a-f]{64})?$"),
    # Kubernetes 1.30 knows no pause of no seconds.
    "drainSeconds": COUNT,
    "hostnames": _list(_text("^([*][.])?[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")),
    "interval": _text("^([0-9]+(ms|s|m|h))+$"),
    "labels": TEXTS,
    "limits": AMOUNTS,
    "maxReplicas": COUNT,
    "maxUnavailable": {"type": ["integer", "string"], "minimum": 0, "pattern": "^[0-9]+%$"},
    "minReplicas": COUNT,
    "nodeSelector": TEXTS,
    "parentRefs": _list(closed({**PARENT, "port": PORT}, "name")),
    "path": _text("^/"),
    "places": {"type": "object", "additionalProperties": PLACE},
    "podAnnotations": TEXTS,
    "podLabels": TEXTS,
    "pullPolicy": {"enum": ["Always", "IfNotPresent", "Never"]},
    "pullSecrets": _list(closed({"name": TEXT}, "name")),
    "requests": AMOUNTS,
    "size": AMOUNT,
    "steps": _list(STEP),
    # It is a label too.
    "tag": _text("^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$"),
    "tolerations": _list(closed({**TOLERATION, "tolerationSeconds": {"type": "integer"}})),
    "type": {"enum": ["rolling", "canary", "blueGreen"]},
    "weighedBy": {"enum": ["traefik", "gatewayApi", "pods"]},
}
"""Values by their name whose default does not tell what else they may be."""


def values(chart: str) -> Schema:
    """The defaults of a chart."""
    loaded: Schema = yaml.safe_load((CHARTS / chart / "values.yaml").read_text())
    return loaded


def form(name: str, default: object) -> Schema:
    """Return what a value may be: as its name says, or else anything of its default's type."""
    if name in FORMS:
        return FORMS[name]
    if name == "schedule":
        # The conference's, or when a job runs.
        return _schedule() if isinstance(default, dict) else _text(r"^(@\w+|\S+( \S+){4})$")
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


def plain_settings(kind: type[Settings]) -> Schema:
    """Return what may be set in the open, by the names of the environment."""
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
    # One digest is one image, which is one service's.
    image = {name: each for name, each in values("library")["image"].items() if name != "digest"}
    return closed(
        {
            **shared(),
            "image": form("image", image),
            "settings": closed(settings),
            "generateSecrets": {"type": "boolean"},
        }
    )


def service_schema(chart: str) -> Schema:
    """Return what a service's values may be."""
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
    """Return what the umbrella's values may be; those of a service are for its own schema."""
    nested = {"type": "object"}
    parts = {
        name: nested if name in SERVICES else form(name, each)
        for name, each in values("conference").items()
        if name != "global"
    }
    return closed({**parts, "global": shared_everywhere(), "library": nested})


def library_schema() -> Schema:
    """Return the defaults that all services share."""
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


def pages() -> Mapping[Path, str]:
    """Every generated file of the charts as it should be."""
    return {
        CHARTS / chart / name: text
        for chart in ("library", *SERVICES, "conference")
        for name, text in {
            "values.schema.json": schema_of(chart),
            "README.md": readme_of(chart),
        }.items()
    }
