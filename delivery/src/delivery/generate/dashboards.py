"""dashboards/*.json for Grafana, from the few things in them that are our own."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from delivery.repository import ROOT

FOLDER = ROOT / "observability" / "dashboards"
SOURCE = {"type": "prometheus", "uid": "${source}"}
# A Prometheus may read several platforms, each in a namespace of its own, and much else.
HERE = 'namespace=~"$namespace"'
# Two versions of a service may run at once. Where nobody takes over pods' labels, all are one.
VERSION = "app_kubernetes_io_version"
OF_VERSION = f'{HERE}, {VERSION}=~"$version"'
OURS = f'{OF_VERSION}, job=~"frontend|agenda-service|c4p-service|email-service"'
ALL_COLUMNS = 24
HEIGHT = 8


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture: a line for each series of its queries, or with `is_figure` the newest value."""

    title: str
    unit: str
    """Grafana's name for it: short, s, reqps, percentunit, bytes, ops, bool."""
    queries: dict[str, str]
    """PromQL by the text of its legend."""
    columns: int = 12
    is_figure: bool = False
    says: str = ""


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A page; `uid` is its address, and so the name of its file."""

    uid: str
    title: str
    panels: Sequence[Panel]


def _series(metric: str, match: str = "") -> str:
    return f"{metric}{{{OURS}{match and ', '}{match}}}"


def _recorded(rule: str, match: str = HERE) -> str:
    return f"{rule}{{{match}}}"


def _by_version(rule: str) -> str:
    return _recorded(f"namespace_job_version:{rule}", OF_VERSION)


def _rate(metric: str, by: str, match: str = "") -> str:
    return f"sum by ({by}) (rate({_series(metric, match)}[$__rate_interval]))"


def _quantile(share: float, by: str, match: str = "") -> str:
    by = f"{by}, le" if by else "le"
    buckets = _rate("http_request_duration_seconds_bucket", by, match)
    return f"histogram_quantile({share}, {buckets})"


_OPEN = _series("circuit_breaker_open")
_NOT_REPAIRED = _series("consistency_findings", 'repaired="false"')

OVERVIEW = Dashboard(
    "platform-overview",
    "Platform overview",
    [
        Panel("Answering", "bool_yes_no", {"{{job}}": f"min by (job) ({_series('up')})"}, 8, True),
        Panel(
            "Failed",
            "percentunit",
            {f"{{{{job}}}} {{{{{VERSION}}}}}": _by_version("http_errors:ratio_rate5m")},
            8,
            True,
        ),
        Panel(
            "Not consistent",
            "short",
            {"not repaired": f"max by (check) ({_NOT_REPAIRED})"},
            4,
            True,
            "What the newest report of the consistency job has found. No data is nothing found.",
        ),
        Panel(
            "Last compared",
            "s",
            {"ago": f"time() - max({_series('consistency_report_timestamp_seconds')})"},
            4,
            True,
        ),
        Panel("Requests", "reqps", {"{{job}}": _rate("http_requests_total", "job")}),
        Panel(
            "Requests by version",
            "reqps",
            {f"{{{{job}}}} {{{{{VERSION}}}}}": _by_version("http_requests:rate5m")},
        ),
        Panel(
            "Pods by version",
            "short",
            {
                "{{job}} {{version}} {{revision}}": (
                    f"count by (job, version, revision) ({_series('service_info')})"
                )
            },
            says="As the services say themselves, out of their images.",
        ),
        Panel(
            "Failed requests",
            "reqps",
            {
                "{{job}} {{route}} {{status}}": _rate(
                    "http_requests_total", "job, route, status", 'status=~"5.."'
                )
            },
        ),
        Panel(
            "Time to answer",
            "s",
            {
                f"{{{{job}}}} {{{{{VERSION}}}}} 99 %": _by_version(
                    "http_request_duration_seconds:p99_5m"
                ),
                "{{job}} half": _quantile(0.5, "job"),
            },
        ),
        Panel(
            "Slowest routes, 99 %",
            "s",
            {"{{job}} {{method}} {{route}}": f"topk(10, {_quantile(0.99, 'job, method, route')})"},
        ),
        Panel(
            "Agenda by where it came from",
            "reqps",
            {"{{source}}": _rate("agenda_answers_total", "source")},
            says="live is confirmed seconds ago, stale is being renewed, saved has a notice.",
        ),
        Panel(
            "Calls to neighbours",
            "reqps",
            {
                "{{job}} → {{neighbour}} {{outcome}}": _rate(
                    "neighbour_calls_total", "job, neighbour, outcome"
                )
            },
        ),
        Panel(
            "Open breakers",
            "short",
            {"{{job}} → {{neighbour}}": f"max by (job, neighbour) ({_OPEN})"},
        ),
        Panel("Processor", "percentunit", {"{{job}}": _rate("process_cpu_seconds_total", "job")}),
        Panel(
            "Memory",
            "bytes",
            {"{{job}}": f"max by (job) ({_series('process_resident_memory_bytes')})"},
        ),
    ],
)

_SUBMISSIONS = 'job="c4p-service", method="POST", route="/proposals"'
_ACCEPTED, _REJECTED = (
    f"max({_series('proposals', match)})" for match in ('state="accepted"', 'state="rejected"')
)
_BY_STATE = f"max by (state) ({_series('proposals')})"
_DECISIONS = _series("decisions_total")
_WAITING = f"max({_series('outbox_waiting')})"
_GIVEN_UP = _series("outbox_attempts_total", 'outcome="given up"')

CALL_FOR_PROPOSALS = Dashboard(
    "call-for-proposals",
    "Call for proposals",
    [
        Panel("Proposals", "short", {"{{state}}": _BY_STATE}, 12, True),
        Panel(
            "Accepted of all that are decided",
            "percentunit",
            {"accepted": f"{_ACCEPTED} / ({_ACCEPTED} + {_REJECTED})"},
            6,
            True,
        ),
        Panel(
            "Decided in the last hour",
            "short",
            {"{{decision}}": f"sum by (decision) (increase({_DECISIONS}[1h]))"},
            6,
            True,
        ),
        Panel(
            "Approved against rejected",
            "short",
            {"{{decision}}": f"sum by (decision) (increase({_DECISIONS}[$__rate_interval]))"},
        ),
        Panel("Proposals by state", "short", {"{{state}}": _BY_STATE}),
        Panel(
            "Submissions by answer",
            "reqps",
            {"{{status}}": _rate("http_requests_total", "status", _SUBMISSIONS)},
            says="201 is taken, 409 the window is closed or the key was used, 422 is not valid.",
        ),
        Panel(
            "Time to submit and to decide, 99 %",
            "s",
            {
                "submit": _quantile(0.99, "", _SUBMISSIONS),
                "decide": _quantile(0.99, "", 'job="c4p-service", route=~".*/decisions?"'),
            },
        ),
    ],
)

DELIVERY = Dashboard(
    "delivery-of-mails",
    "Delivery of mails",
    [
        Panel("Waiting", "short", {"deliveries": _WAITING}, 6, True),
        Panel("Oldest", "s", {"has waited": f"max({_series('outbox_oldest_seconds')})"}, 6, True),
        Panel(
            "Given up in the last hour",
            "short",
            {"to {{target}}": f"sum by (target) (increase({_GIVEN_UP}[1h]))"},
            6,
            True,
            "Each waits for a person.",
        ),
        Panel(
            "Mails not sent",
            "percentunit",
            {"of all": _recorded("namespace:mails_failed:ratio_rate15m")},
            6,
            True,
        ),
        Panel("Mails", "ops", {"{{outcome}}": _rate("mails_total", "outcome")}),
        Panel(
            "Mails sent, by template",
            "ops",
            {"{{template}}": _rate("mails_total", "template", 'outcome="sent"')},
        ),
        Panel("Outbox", "short", {"waiting": _WAITING}),
        Panel(
            "Attempts of the outbox",
            "ops",
            {"{{target}} {{outcome}}": _rate("outbox_attempts_total", "target, outcome")},
        ),
        Panel(
            "The relay",
            "ops",
            {"{{outcome}}": _rate("neighbour_calls_total", "outcome", 'neighbour="relay"')},
        ),
        Panel(
            "Time to send, 99 %",
            "s",
            {"email-service": _quantile(0.99, "", 'job="email-service", method="POST"')},
        ),
    ],
)


def as_grafana(dashboard: Dashboard) -> dict[str, Any]:
    """https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/"""
    source = {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    variables = [
        _variable("namespace", "Namespace", "label_values(outbox_waiting, namespace)"),
        _variable("version", "Version", f"label_values(http_requests_total{{{HERE}}}, {VERSION})"),
    ]
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "tags": ["conference"],
        "schemaVersion": 39,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": [source, *variables]},
        "panels": list(_panels(dashboard.panels)),
    }


def _variable(name: str, label: str, query: str) -> dict[str, Any]:
    """Return a variable of which one, several or all values can be chosen."""
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": SOURCE,
        "query": query,
        "refresh": 2,
        "multi": name == "version",
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def _panels(panels: Sequence[Panel]) -> Iterator[dict[str, Any]]:
    x = y = 0
    for number, panel in enumerate(panels, 1):
        if x + panel.columns > ALL_COLUMNS:
            x, y = 0, y + HEIGHT
        yield {
            "id": number,
            "type": "stat" if panel.is_figure else "timeseries",
            "title": panel.title,
            "description": panel.says,
            "datasource": SOURCE,
            "gridPos": {"x": x, "y": y, "w": panel.columns, "h": HEIGHT},
            "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
            "targets": [
                {"refId": chr(ord("A") + place), "expr": query, "legendFormat": legend}
                for place, (legend, query) in enumerate(panel.queries.items())
            ],
        }
        x += panel.columns


def pages() -> Mapping[Path, str]:
    """The file of each dashboard as it should be."""
    return {
        FOLDER / f"{each.uid}.json": json.dumps(as_grafana(each), indent=2, ensure_ascii=False)
        + "\n"
        for each in (OVERVIEW, CALL_FOR_PROPOSALS, DELIVERY)
    }
