"""The NetworkPolicies allow the calls that the design draws, and no other."""

from collections.abc import Iterator

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
    """A pod's name, or who is in that namespace."""
    if "podSelector" in peer:
        return str(peer["podSelector"]["matchLabels"]["app.kubernetes.io/name"])
    if "ipBlock" in peer:
        return str(peer["ipBlock"]["cidr"])
    namespace: str = peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
    return OUTSIDE.get(namespace, namespace)


def arrows(rendered: Rendered, direction: str) -> Iterator[tuple[str, str, tuple[object, ...]]]:
    """Who may call whom at which ports, as the policies for that direction have it."""
    side = {"ingress": "from", "egress": "to"}[direction]
    for policy in rendered.of("NetworkPolicy"):
        own = policy["spec"]["podSelector"]["matchLabels"].get("app.kubernetes.io/name")
        for rule in policy["spec"].get(direction, ()):
            ports = tuple(each["port"] for each in rule["ports"])
            for peer in rule[side]:
                other = name_of(peer)
                caller, called = (other, own) if direction == "ingress" else (own, other)
                yield caller, called, ports


def test_pods_take_the_calls_that_are_drawn() -> None:
    found = set(arrows(render(), "ingress"))
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


def test_every_pod_is_under_the_default() -> None:
    rendered = render()
    default = rendered.one("NetworkPolicy", "default-deny")["spec"]
    assert default["policyTypes"] == ["Ingress", "Egress"]
    assert not default.keys() & {"ingress", "egress"}
    chosen = default["podSelector"]["matchLabels"]
    kinds = ("Deployment", "StatefulSet")
    templates = [each["spec"]["template"] for kind in kinds for each in rendered.of(kind)]
    job = rendered.one("CronJob", "consistency-job")["spec"]["jobTemplate"]["spec"]["template"]
    for template in (*templates, job, rendered.one("Pod", "conference-test")):
        assert chosen.items() <= template["metadata"]["labels"].items()


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
