"""Network policies as the cluster has them; to enforce them is the network plugin's part."""

from collections.abc import Iterator

from tests.cluster.cluster import Cluster, Object

CALLS = {
    ("frontend", "agenda-service"),
    ("frontend", "c4p-service"),
    ("frontend", "email-service"),
    ("c4p-service", "agenda-service"),
    ("c4p-service", "email-service"),
    ("consistency-job", "agenda-service"),
    ("consistency-job", "c4p-service"),
    ("consistency-job", "email-service"),
    ("c4p-service", "postgresql"),
    ("agenda-service", "valkey"),
    ("email-service", "valkey"),
    ("frontend", "valkey"),
    ("email-service", "mail-sink"),
    *(
        (each, "development-provider")
        for each in (
            "frontend",
            "agenda-service",
            "c4p-service",
            "email-service",
            "consistency-job",
        )
    ),
}
"""The arrows of the README's picture."""
SERVED_OUTSIDE = {"frontend", "development-provider"}
NAME = "app.kubernetes.io/name"


def policies(cluster: Cluster) -> dict[str, Object]:
    """The policies of parts of the platform, by the part's name."""
    found = {}
    for each in cluster.get("networkpolicies")["items"]:
        labels = each["spec"]["podSelector"].get("matchLabels", {})
        found[labels.get(NAME, "")] = each["spec"]
    return found


def peers(policy: Object, direction: str) -> Iterator[Object]:
    """Whom a policy lets call (ingress) or be called (egress)."""
    side = {"ingress": "from", "egress": "to"}[direction]
    for rule in policy.get(direction, []):
        assert rule.get(side), f"a rule without {side!r} lets everybody through: {rule}"
        yield from rule[side]


def parts(policy: Object, direction: str) -> set[str]:
    """The parts of the platform that it names."""
    found = [each["podSelector"] for each in peers(policy, direction) if "podSelector" in each]
    return {each["matchLabels"][NAME] for each in found}


def namespaces(policy: Object, direction: str) -> set[str]:
    """The namespaces that it names."""
    found = [each.get("namespaceSelector") for each in peers(policy, direction)]
    return {each["matchLabels"]["kubernetes.io/metadata.name"] for each in found if each}


def test_policies_allow_the_calls_of_the_picture_from_both_ends(cluster: Cluster) -> None:
    found = policies(cluster)
    # Whom no policy names may call nobody and be called by nobody.
    nobody = found.pop("")
    assert set(nobody["policyTypes"]) == {"Ingress", "Egress"}
    assert not nobody.get("ingress")
    assert not nobody.get("egress")
    outgoing = {(name, it) for name, each in found.items() for it in parts(each, "egress")}
    incoming = {(it, name) for name, each in found.items() for it in parts(each, "ingress")}
    assert outgoing == CALLS
    assert incoming - {("conference-test", "frontend")} == CALLS
    print(f"\n{len(found)} policies, {len(CALLS)} calls")


def test_policies_let_the_gateway_reach_the_public_parts_alone(cluster: Cluster) -> None:
    from_outside = {name: namespaces(each, "ingress") for name, each in policies(cluster).items()}
    public = {name for name, each in from_outside.items() if "traefik" in each}
    assert public == SERVED_OUTSIDE
    assert set().union(*from_outside.values()) <= {"traefik", "monitoring"}
