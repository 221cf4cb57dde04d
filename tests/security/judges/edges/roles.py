"""Roles to the encrypted resources that they use: the resource's key must be open to them too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.security.judges.documents import role_statements
from tests.security.judges.edges.checks import Edge, check_role_key, role_decision
from tests.security.judges.findings import Finding
from tests.security.judges.nodes import Node
from tests.security.judges.policies import as_list, matches_action
from tests.security.judges.resolver import World

READ = ("kms:Decrypt",)
WRITE = ("kms:GenerateDataKey",)
BOTH = ("kms:Decrypt", "kms:GenerateDataKey")

S3_PAGE = "Amazon S3, Using server-side encryption with AWS KMS keys (SSE-KMS)"
SQS_PAGE = "Amazon SQS, Key management, Configure KMS permissions for producers and consumers"
SNS_PAGE = "Amazon SNS, Managing Amazon SNS encryption keys and costs"
TABLE_PAGE = "Amazon DynamoDB, DynamoDB encryption at rest usage notes"

# For each type: the service that calls KMS, the page, and the KMS actions behind each action.
NEEDS: dict[str, tuple[str, str, Mapping[str, tuple[str, ...]]]] = {
    "AWS::S3::Bucket": (
        "s3",
        S3_PAGE,
        {
            "s3:GetObject": READ,
            "s3:GetObjectVersion": READ,
            "s3:GetObjectAttributes": READ,
            "s3:PutObject": WRITE,
        },
    ),
    "AWS::SQS::Queue": (
        "sqs",
        SQS_PAGE,
        {"sqs:SendMessage": BOTH, "sqs:ReceiveMessage": READ},
    ),
    "AWS::SNS::Topic": ("sns", SNS_PAGE, {"sns:Publish": BOTH}),
    "AWS::DynamoDB::Table": (
        "dynamodb",
        TABLE_PAGE,
        {
            f"dynamodb:{name}": READ
            for name in (
                "GetItem",
                "BatchGetItem",
                "Query",
                "Scan",
                "PutItem",
                "UpdateItem",
                "DeleteItem",
                "BatchWriteItem",
                "ConditionCheckItem",
                "GetRecords",
            )
        },
    ),
}


def findings(world: World) -> Iterator[Finding]:
    """Judge every role against every encrypted resource that its statements reach."""
    targets = list(world.of(*NEEDS))
    for role in world.of("AWS::IAM::Role"):
        statements = [s for s in role_statements(world, role) if s.get("Effect") == "Allow"]
        for target in targets:
            yield from _reach(world, role, target, statements)


def _reach(
    world: World, role: Node, target: Node, statements: list[dict[str, object]]
) -> Iterator[Finding]:
    via, page, needs = NEEDS[target.type]
    wanted: set[str] = set()
    for action, kms in needs.items():
        samples = {
            sample
            for statement in statements
            if matches_action(statement, action)
            for sample in _samples(world, target, as_list(statement.get("Resource")))
        }
        if any(role_decision(world, role, action, s, target).allowed for s in samples):
            wanted.update(kms)
    edge = Edge("role-to-encrypted-resource", role, target, world.arn(role), page)
    yield from check_role_key(world, edge, role, sorted(wanted), via)


def _samples(world: World, target: Node, patterns: list[str]) -> Iterator[str]:
    """ARNs of, or inside, the target that a statement's resource patterns cover."""
    arn = world.arn(target)
    for pattern in patterns:
        if pattern == "*":
            yield arn if target.type != "AWS::S3::Bucket" else f"{arn}/sample"
        elif pattern.startswith(arn):
            yield pattern.replace("*", "sample")
