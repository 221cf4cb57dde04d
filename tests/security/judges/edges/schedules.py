"""EventBridge Scheduler to its targets; state machines to their log groups and keys."""

from __future__ import annotations

from collections.abc import Iterator

from tests.security.judges.documents import role_statements
from tests.security.judges.edges.checks import (
    Edge,
    check_key,
    check_role,
    check_role_key,
    check_trust,
    role_of,
    unjudged,
)
from tests.security.judges.edges.context import role_context
from tests.security.judges.edges.functions import DELIVERY
from tests.security.judges.findings import Finding
from tests.security.judges.nodes import Node
from tests.security.judges.policies import Call, decide
from tests.security.judges.resolver import World

SCHEDULER = "scheduler.amazonaws.com"
STATES = "states.amazonaws.com"
DELIVERY_SERVICE = "delivery.logs.amazonaws.com"
SCHEDULE_PAGE = "EventBridge Scheduler, Setting up the execution role"
SCHEDULE_KEY_PAGE = "EventBridge Scheduler, Encryption at rest in EventBridge Scheduler"
LOGS_PAGE = "AWS Step Functions, Using CloudWatch Logs to log execution history"
KEY_PAGE = "AWS Step Functions, Data at rest encryption"
TARGETS = {
    **DELIVERY,
    "AWS::StepFunctions::StateMachine": ("states:StartExecution", (), "states"),
    "AWS::SageMaker::Pipeline": ("sagemaker:StartPipelineExecution", (), "sagemaker"),
}


def findings(world: World) -> Iterator[Finding]:
    """Judge every schedule and every state machine."""
    for schedule in world.of("AWS::Scheduler::Schedule"):
        yield from _schedule(world, schedule)
    for machine in world.of("AWS::StepFunctions::StateMachine"):
        yield from _machine(world, machine)


def _schedule(world: World, schedule: Node) -> Iterator[Finding]:
    target = world.properties(schedule).get("Target", {})
    role = role_of(world, target.get("RoleArn"))
    arns = [target.get("Arn"), target.get("DeadLetterConfig", {}).get("Arn")]
    for arn in (arn for arn in arns if arn is not None):
        node = world.find(arn)
        if node is None or role is None or node.type not in TARGETS:
            yield unjudged(schedule, f"the target {arn} with the role {target.get('RoleArn')}")
            continue
        action, kms, via = TARGETS[node.type]
        edge = Edge("schedule-to-target", schedule, node, world.arn(role), SCHEDULE_PAGE)
        group = world.arn(schedule).replace(":schedule/", ":schedule-group/").rpartition("/")[0]
        trusting = Edge(
            edge.rule, schedule, node, edge.principal, edge.page, {"aws:sourcearn": group}
        )
        yield from check_trust(world, trusting, role, SCHEDULER)
        yield from check_role(world, edge, role, action)
        yield from check_role_key(world, edge, role, kms, via)
    yield from _schedule_key(world, schedule, role)


def _schedule_key(world: World, schedule: Node, role: Node | None) -> Iterator[Finding]:
    """A schedule with a key is read with the role of its target."""
    identifier = world.properties(schedule).get("KmsKeyArn")
    if identifier is None or role is None:
        return
    edge = Edge("schedule-to-key", schedule, schedule, world.arn(role), SCHEDULE_KEY_PAGE)
    yield from check_role_key(world, edge, role, ("kms:Decrypt",), "scheduler", identifier)


def _machine(world: World, machine: Node) -> Iterator[Finding]:
    properties = world.properties(machine)
    role = role_of(world, properties.get("RoleArn"))
    if role is None:
        yield unjudged(machine, f"the role {properties.get('RoleArn')} is not in these templates")
        return
    edge = Edge("state-machine-to-role", machine, role, STATES, LOGS_PAGE)
    yield from check_trust(world, edge, role, STATES)
    if properties.get("LoggingConfiguration", {}).get("Destinations"):
        edge = Edge("state-machine-to-logs", machine, machine, world.arn(role), LOGS_PAGE)
        for action in (
            "CreateLogDelivery",
            "GetLogDelivery",
            "UpdateLogDelivery",
            "ListLogDeliveries",
            "PutResourcePolicy",
            "DescribeResourcePolicies",
            "DescribeLogGroups",
        ):
            call = Call(f"logs:{action}", "*", world.arn(role), context=role_context(world, role))
            if not decide(role_statements(world, role), call).allowed:
                yield edge.finding(f"the role {role.label} may not logs:{action} on *")
        yield from _delivered(world, machine)
    edge = Edge("state-machine-to-key", machine, machine, world.arn(role), KEY_PAGE)
    yield from check_role_key(world, edge, role, ("kms:Decrypt", "kms:GenerateDataKey"), "states")


def _delivered(world: World, machine: Node) -> Iterator[Finding]:
    """What a state machine with a key logs is decrypted by the service that delivers it."""
    account, region = world.account(machine.stack), world.region(machine.stack)
    source = f"arn:{world.place.partition}:logs:{region}:{account}:*"
    context = {"kms:encryptioncontext:sourcearn": source}
    edge = Edge(
        "state-machine-delivery-to-key", machine, machine, DELIVERY_SERVICE, KEY_PAGE, context
    )
    yield from check_key(
        world, edge, ("kms:Decrypt",), unsupported=("aws:sourceaccount", "aws:sourcearn")
    )
