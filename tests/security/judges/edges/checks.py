"""What all edge modules share: asking whether a policy lets a call through, and saying why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tests.security.judges.documents import resource_statements, role_statements
from tests.security.judges.edges.context import encryption_context, role_context, service_context
from tests.security.judges.edges.keys import key_id, key_node
from tests.security.judges.findings import Finding
from tests.security.judges.nodes import Node
from tests.security.judges.policies import Call, Decision, as_list, decide, delegates
from tests.security.judges.resolver import World

JUDGE = "edges"


@dataclass(frozen=True)
class Edge:
    """One way from a service to a resource.

    Args:
        rule: the kind of edge, which is the finding's rule id, such as `rule-to-queue`.
        source: the resource that makes the service call.
        target: the resource that is called.
        principal: the service principal, or the ARN of the role that the call is made with.
        page: the AWS documentation page that says what is needed.
        context: condition keys that the call carries, beyond those every call has.
    """

    rule: str
    source: Node
    target: Node
    principal: str
    page: str
    context: Mapping[str, str] = field(default_factory=dict)

    def finding(self, what: str, resource: Node | None = None) -> Finding:
        """A finding about this edge, filed under the source unless another resource is given."""
        way = f"{self.source} -> {self.target}"
        text = f"{way}: {what} (AWS documentation: {self.page})"
        return Finding(JUDGE, self.rule, (resource or self.source).label, text)


def unjudged(node: Node, what: str) -> Finding:
    """The finding for an edge that this judge cannot weigh. It is never passed in silence."""
    return Finding(JUDGE, "edge-not-judged", node.label, f"edge not judged: {node}: {what}")


def check_policy(world: World, edge: Edge, action: str, resource: str = "") -> Iterator[Finding]:
    """The target's own policy must let the edge's service principal make one call."""
    found = resource_statements(world, edge.target)
    if found is None:
        yield edge.finding(
            f"{edge.target.label} has no resource policy, but {edge.principal} "
            f"needs {action} from it"
        )
        return
    context = {**service_context(world, edge.source), **edge.context}
    call = Call(action, resource or world.arn(edge.target), edge.principal, context=context)
    decision = decide(found, call)
    if not decision.allowed:
        yield edge.finding(
            f"the policy of {edge.target.label} does not let {edge.principal} "
            f"{action}{_because(decision)}"
        )


def check_key(
    world: World,
    edge: Edge,
    actions: Sequence[str],
    *,
    unsupported: Sequence[str] = (),
) -> Iterator[Finding]:
    """If the target has a customer-managed key, its policy must let the service principal use it.

    Args:
        world: the stacks.
        edge: the edge; its principal is a service.
        actions: the KMS actions that AWS documents for it.
        unsupported: condition keys (lower case) that this service does not send to KMS.
    """
    identifier = key_id(world, edge.target)
    if identifier is None:
        return
    if "alias/aws/" in str(identifier):
        yield edge.finding(
            f"{edge.target.label} is encrypted with the key that AWS manages "
            f"({identifier}); {edge.principal} cannot be allowed to use it"
        )
        return
    key = key_node(world, identifier)
    if key is None:
        yield _unknown_key(edge, identifier)
        return
    context = {**service_context(world, edge.source), **edge.context}
    context |= encryption_context(world, edge.target)
    for name in unsupported:
        context.pop(name, None)
    for action in actions:
        call = Call(action, world.arn(key), edge.principal, context=context)
        decision = decide(resource_statements(world, key) or [], call)
        if not decision.allowed:
            yield edge.finding(
                f"the policy of the key {key.label} does not let {edge.principal} "
                f"{action}{_because(decision)}"
            )


def check_role(
    world: World,
    edge: Edge,
    role: Node,
    action: str,
    resource: str = "",
    context: Mapping[str, str] | None = None,
) -> Iterator[Finding]:
    """A role must be allowed one call on the edge's target, by its own policies."""
    arn = resource or world.arn(edge.target)
    decision = role_decision(world, role, action, arn, edge.target, context)
    if not decision.allowed:
        yield edge.finding(f"the role {role.label} may not {action} on {arn}{_because(decision)}")


def check_role_key(
    world: World,
    edge: Edge,
    role: Node,
    actions: Sequence[str],
    via: str,
    identifier: object = None,
) -> Iterator[Finding]:
    """A role must be allowed to use the target's customer-managed key, if it has one.

    Args:
        world: the stacks.
        edge: the edge.
        role: the role that makes the call.
        actions: the KMS actions needed.
        via: the service that calls KMS for the role, such as `sqs`.
        identifier: the key's id, if it is not the one that encrypts the target.
    """
    identifier = identifier or key_id(world, edge.target)
    if identifier is None or "alias/aws/" in str(identifier):
        return
    key = key_node(world, identifier)
    if key is None:
        yield _unknown_key(edge, identifier)
        return
    region, suffix = world.region(key.stack), world.place.url_suffix
    context = {"kms:viaservice": f"{via}.{region}.{suffix}"}
    context |= encryption_context(world, edge.target)
    for action in actions:
        decision = role_decision(world, role, action, world.arn(key), key, context)
        if not decision.allowed:
            yield edge.finding(
                f"the role {role.label} may not {action} with the key {key.label} "
                f"of {edge.target.label}{_because(decision)}"
            )


def _unknown_key(edge: Edge, identifier: object) -> Finding:
    return unjudged(
        edge.source,
        f"the key {identifier} of {edge.target.label} is not in these "
        "templates, so its policy is not known",
    )


def role_decision(
    world: World,
    role: Node,
    action: str,
    resource: str,
    target: Node,
    context: Mapping[str, str] | None = None,
) -> Decision:
    """Decide a role's call by its own policies, its boundary and the target's policy together.

    Within one account an Allow of either side is enough, except for a KMS key, whose policy must
    name the role or hand the decision to the account.
    """
    arn, account = world.arn(role), world.account(role.stack)
    keys = {**role_context(world, role), **(context or {})}
    call = Call(action, resource, arn, account, keys)
    own = [*role_statements(world, role)]
    theirs = resource_statements(world, target) or []
    named = [s for s in theirs if s.get("Effect") == "Deny" or not delegates(s, account)]
    direct = decide(named, call)
    if target.type == "AWS::KMS::Key":
        handed = decide(theirs, call)
        if not handed.allowed:
            return Decision(
                False,
                (
                    f"the key's policy neither names it nor hands the decision "
                    f"to the account{_because(handed)}",
                ),
            )
    decision = decide([*own, *(s for s in named if s.get("Effect") == "Deny")], call)
    return direct if direct.allowed and not _denied(own, call) else decision


def _denied(own: Sequence[Mapping[str, object]], call: Call) -> bool:
    denials = [{**s, "Effect": "Allow"} for s in own if s.get("Effect") == "Deny"]
    return decide(denials, call).allowed


def role_of(world: World, identifier: object) -> Node | None:
    """The role that an ARN or a name stands for, if the templates hold it."""
    return world.find(identifier, "AWS::IAM::Role")


def check_trust(world: World, edge: Edge, role: Node, service: str) -> Iterator[Finding]:
    """A service must be allowed to assume the role that it delivers with."""
    document = world.properties(role).get("AssumeRolePolicyDocument", {})
    found = [s for s in as_statements(document) if "sts:AssumeRole" in as_list(s.get("Action"))]
    context = {**service_context(world, edge.source), **edge.context}
    decision = decide(found, Call("sts:AssumeRole", world.arn(role), service, context=context))
    if not decision.allowed:
        yield edge.finding(f"{service} may not assume the role {role.label}{_because(decision)}")


def as_statements(document: object) -> list[dict[str, object]]:
    """The statements of a document, as a list."""
    found = document.get("Statement", []) if isinstance(document, dict) else []
    return list(found) if isinstance(found, list) else [found]


def _because(decision: Decision) -> str:
    if not decision.reasons:
        return ": no statement allows it"
    return ": " + "; ".join(decision.reasons)
