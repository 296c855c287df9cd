"""The NetworkPolicies allow the calls that the design draws, and no other."""

from collections.abc import Iterator

import pytest
from tests.charts.rendering import UMBRELLA, Object, Rendered, profile, refusal, render

DRAWN = {
    ("gateway", "frontend"),
    ("gateway", "development-provider"),
    ("conference-test", "frontend"),
    ("frontend", "c4p-service"),
    ("frontend", "agenda-service"),
    ("frontend", "email-service"),
    ("frontend", "valkey"),
    ("c4p-service", "agenda-service"),
    ("c4p-service", "email-service"),
    ("c4p-service", "postgresql"),
    ("agenda-service", "valkey"),
    ("email-service", "valkey"),
    ("email-service", "mail-sink"),
    ("consistency-job", "c4p-service"),
    ("consistency-job", "agenda-service"),
    ("consistency-job", "email-service"),
    *(
        (name, "development-provider")
        for name in (
            "frontend",
            "c4p-service",
            "agenda-service",
            "email-service",
            "consistency-job",
        )
    ),
}
SCRAPED = {"frontend", "c4p-service", "agenda-service", "email-service", "development-provider"}
OUTSIDE = {"traefik": "gateway", "monitoring": "monitoring", "kube-system": "dns"}


def name_of(peer: Object) -> str:
    """A pod's name, or who is in that namespace, or else all that it says."""
    match list(peer.items()):
        case [("podSelector", {"matchLabels": {"app.kubernetes.io/name": str(name)}})]:
            return name
        case [("namespaceSelector", {"matchLabels": {"kubernetes.io/metadata.name": str(name)}})]:
            return OUTSIDE.get(name, name)
        case [("ipBlock", {"cidr": str(networks)})]:
            return networks
    return str(peer)


def arrows(rendered: Rendered, direction: str) -> Iterator[tuple[str, str, tuple[object, ...]]]:
    """Return who may call whom at which ports, as the policies for that direction have it."""
    side = {"ingress": "from", "egress": "to"}[direction]
    for policy in rendered.of("NetworkPolicy"):
        own = policy["spec"]["podSelector"]["matchLabels"].get("app.kubernetes.io/name")
        for rule in policy["spec"].get(direction, ()):
            # To Kubernetes nobody in particular is everybody, and no port is every port.
            ports = tuple(each["port"] for each in rule.get("ports", ())) or ("every",)
            for other in [name_of(each) for each in rule.get(side, ())] or ["everybody"]:
                caller, called = (other, own) if direction == "ingress" else (own, other)
                yield caller, called, ports


def test_pods_take_the_calls_that_are_drawn() -> None:
    found = set(arrows(render(), "ingress"))
    served = {("metrics",), ("http",), ("smtp",), ("postgresql",), ("valkey",)}
    assert {ports for _, _, ports in found} == served
    scraping = {(a, b) for a, b, ports in found if ports == ("metrics",)}
    assert scraping == {("monitoring", name) for name in SCRAPED}
    assert {(a, b) for a, b, ports in found if ports != ("metrics",)} == DRAWN


def test_pods_make_the_calls_that_are_drawn() -> None:
    found = set(arrows(render(), "egress"))
    asking = {a for a, b, ports in found if b == "dns" and ports == (53, 53)}
    assert asking == {"conference-test", "consistency-job", *SCRAPED}
    # What comes from outside is no pod's call.
    inside = {(a, b) for a, b in DRAWN if a != "gateway"}
    assert {(a, b) for a, b, _ in found if b != "dns"} == inside


def test_call_that_is_not_drawn_is_found() -> None:
    values = {
        "email-service": {"networkPolicy": {"calledBy": ["agenda-service"]}},
        "agenda-service": {"networkPolicy": {"calls": ["email-service"]}},
    }
    for direction in ("ingress", "egress"):
        found = arrows(render(UMBRELLA, values), direction)
        assert {(a, b) for a, b, _ in found} - DRAWN >= {("agenda-service", "email-service")}


def pods_of(name: str) -> Object:
    """Return how a policy chooses them."""
    return {"podSelector": {"matchLabels": {"app.kubernetes.io/name": name}}}


@pytest.mark.parametrize(
    "peer",
    [
        {},
        {"podSelector": {}},
        {"namespaceSelector": {}},
        {"ipBlock": {"cidr": "0.0.0.0/0"}},
        # The pods of that name in every namespace.
        {**pods_of("valkey"), "namespaceSelector": {}},
    ],
)
@pytest.mark.parametrize(("direction", "side"), [("ingress", "from"), ("egress", "to")])
def test_rule_for_more_than_one_is_no_call_that_is_drawn(
    direction: str, side: str, peer: Object
) -> None:
    rule = {side: [peer]} if peer else {}
    policy = {"kind": "NetworkPolicy", "spec": {**pods_of("frontend"), direction: [rule]}}
    ((caller, called, ports),) = arrows(Rendered([policy]), direction)
    assert {caller, called} & {name for arrow in DRAWN for name in arrow} == {"frontend"}
    assert ports == ("every",)


def test_calls_end_at_the_port_that_answers_them() -> None:
    rendered = render()
    taken = {(a, b): ports for a, b, ports in arrows(rendered, "ingress") if ports != ("metrics",)}
    named = {
        port["name"]: port["containerPort"]
        for _, pod in rendered.pods()
        for container in pod["containers"]
        for port in container.get("ports", ())
    }
    for caller, called, ports in arrows(rendered, "egress"):
        if called != "dns":
            (made,), (took,) = ports, taken[caller, called]
            assert named.get(made, made) == named.get(took, took), (caller, called)


def uncovered(rendered: Rendered) -> list[str]:
    """The pods that the default leaves open."""
    chosen = rendered.one("NetworkPolicy", "default-deny")["spec"]["podSelector"]["matchLabels"]
    return [
        name
        for name, template in rendered.templates()
        if not chosen.items() <= template["metadata"].get("labels", {}).items()
    ]


def test_every_pod_is_under_the_default() -> None:
    rendered = render()
    default = rendered.one("NetworkPolicy", "default-deny")["spec"]
    assert default["policyTypes"] == ["Ingress", "Egress"]
    assert not default.keys() & {"ingress", "egress"}
    assert uncovered(rendered) == []


@pytest.mark.parametrize(
    "stray",
    [
        {"kind": "Pod"},
        {"kind": "Deployment", "spec": {"template": {"metadata": {}}}},
        {"kind": "DaemonSet", "spec": {"template": {"metadata": {"labels": {"other": "x"}}}}},
        {"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": {"metadata": {}}}}}},
    ],
)
def test_pod_outside_the_default_is_found(stray: Object) -> None:
    policy = {
        "kind": "NetworkPolicy",
        "metadata": {"name": "default-deny"},
        "spec": {"podSelector": {"matchLabels": {"part": "x"}}},
    }
    assert uncovered(Rendered([policy, {**stray, "metadata": {"name": "stray"}}])) == ["stray"]


def test_traces_may_leave_where_they_are_collected() -> None:
    found = set(arrows(render(UMBRELLA, profile("development")), "egress"))
    assert {a for a, b, _ in found if b == "monitoring"} == {*SCRAPED, "consistency-job"}


def test_dns_is_where_the_values_say() -> None:
    dns = {"ports": [53, 5353], "peers": [{"ipBlock": {"cidr": "169.254.20.10/32"}}]}
    values = {"global": {"networkPolicy": {"places": {"dns": dns}}}}
    found = {(b, ports) for _, b, ports in arrows(render(UMBRELLA, values), "egress")}
    assert ("169.254.20.10/32", (53, 53, 5353, 5353)) in found
    assert "dns" not in {b for b, _ in found}


def test_place_of_nobody_is_refused() -> None:
    nowhere = {"calls": ["elsewhere"], "places": {"elsewhere": {"ports": [1]}}}
    assert "networkPolicy.places.elsewhere needs peers" in refusal(
        UMBRELLA, {"frontend": {"networkPolicy": nowhere}}
    )


def test_managed_parts_are_reached_where_the_values_say() -> None:
    found = set(arrows(render(UMBRELLA, profile("managed")), "egress"))
    away = {(a, b, ports) for a, b, ports in found if "/" in b}
    assert ("c4p-service", "10.20.1.0/24", (5432,)) in away
    assert ("email-service", "0.0.0.0/0", (587,)) in away
    assert {a for a, b, ports in away if ports == (6379,)} == {
        "frontend",
        "agenda-service",
        "email-service",
    }
