"""For each kind of edge: resources between which it is open, and each way of closing it.

A break sets (or, with GONE, removes) what lies at a path of the resources. The edges judge must
then name the edge's rule and say the words.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

Resources = dict[str, Any]
GONE = object()

ACCOUNT = {"Ref": "AWS::AccountId"}
SAME_ACCOUNT = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
OTHER_ACCOUNT = {"StringEquals": {"aws:SourceAccount": "222233334444"}}
ROOT = {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}
KEY_USE = ["kms:Decrypt", "kms:GenerateDataKey*"]


@dataclass(frozen=True)
class Break:
    """One way of closing an edge.

    Args:
        name: the test's name.
        path: keys and indexes from the resources downwards, joined by dots.
        value: what to put there; GONE to take it away.
        says: words that the finding must hold.
    """

    name: str
    path: str
    value: Any
    says: str


@dataclass(frozen=True)
class Example:
    """One kind of edge: its rule, resources between which it is open, and ways of closing it."""

    rule: str
    resources: Resources
    breaks: tuple[Break, ...]


def broken(resources: Resources, change: Break) -> Resources:
    """A copy of the resources with one thing changed.

    Raises:
        KeyError, IndexError: the path leads nowhere, so the break would break nothing.
    """
    changed = copy.deepcopy(resources)
    *steps, last = change.path.split(".")
    place: Any = changed
    for step in steps:
        place = place[int(step)] if isinstance(place, list) else place[step]
    key: Any = int(last) if isinstance(place, list) else last
    if change.value is GONE:
        del place[key]
    else:
        place[key] = change.value
    return changed


def arn(logical_id: str) -> dict[str, Any]:
    """GetAtt of a resource's ARN."""
    return {"Fn::GetAtt": [logical_id, "Arn"]}


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    """A resource of the type `AWS::<kind>`."""
    return {"Type": f"AWS::{kind}", "Properties": properties}


def allow(action: Any, on: Any = "*", **more: Any) -> dict[str, Any]:
    """An Allow statement; `service` names a service principal, `when` the condition."""
    statement: dict[str, Any] = {"Effect": "Allow", "Action": action, "Resource": on}
    if "service" in more:
        statement["Principal"] = {"Service": more["service"]}
    if "when" in more:
        statement["Condition"] = more["when"]
    return statement


def deny(action: str, on: Any, when: dict[str, Any]) -> dict[str, Any]:
    """A Deny statement for everybody."""
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": on,
        "Condition": when,
    }


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def key(*statements: dict[str, Any]) -> dict[str, Any]:
    """A key whose first statement hands it to the account's IAM policies."""
    root = {"Effect": "Allow", "Principal": ROOT, "Action": "kms:*", "Resource": "*"}
    return resource("KMS::Key", KeyPolicy=document(root, *statements))


def key_for(service: str) -> dict[str, Any]:
    """A key that a service may use for this account; its statement is number 1."""
    return key(allow(KEY_USE, service=service, when=SAME_ACCOUNT))


def queue_policy(queue: str, *statements: dict[str, Any]) -> dict[str, Any]:
    """A queue's policy, ending with the denial of all that is not TLS."""
    tls = deny("sqs:*", arn(queue), {"Bool": {"aws:SecureTransport": "false"}})
    policy = document(*statements, tls)
    return resource("SQS::QueuePolicy", Queues=[{"Ref": queue}], PolicyDocument=policy)


def topic_policy(topic: str, *statements: dict[str, Any]) -> dict[str, Any]:
    """A topic's policy."""
    return resource(
        "SNS::TopicPolicy", Topics=[{"Ref": topic}], PolicyDocument=document(*statements)
    )


def bucket_policy(bucket: str, *statements: dict[str, Any]) -> dict[str, Any]:
    """A bucket's policy."""
    return resource(
        "S3::BucketPolicy", Bucket={"Ref": bucket}, PolicyDocument=document(*statements)
    )


def role(service: str, *statements: dict[str, Any]) -> dict[str, Any]:
    """A role with an inline policy, which a service may assume for this account."""
    trust = allow("sts:AssumeRole", service=service, when=SAME_ACCOUNT)
    del trust["Resource"]
    inline = {"PolicyName": "Inline", "PolicyDocument": document(*statements)}
    return resource("IAM::Role", AssumeRolePolicyDocument=document(trust), Policies=[inline])


def queue(**properties: Any) -> dict[str, Any]:
    """A queue that is encrypted with the resource `Key`."""
    return resource("SQS::Queue", KmsMasterKeyId=arn("Key"), **properties)


def topic(**properties: Any) -> dict[str, Any]:
    """A topic that is encrypted with the resource `Key`."""
    return resource("SNS::Topic", KmsMasterKeyId={"Ref": "Key"}, **properties)


def function(**properties: Any) -> dict[str, Any]:
    """A function with the role `Role`."""
    return resource("Lambda::Function", Role=arn("Role"), **properties)


def permission(service: str, source: Any) -> dict[str, Any]:
    """Lets a service invoke the function `Function` for one resource."""
    return resource(
        "Lambda::Permission",
        Action="lambda:InvokeFunction",
        FunctionName={"Ref": "Function"},
        Principal=service,
        SourceArn=source,
        SourceAccount=ACCOUNT,
    )


POLICY = "Properties.PolicyDocument.Statement"
KEY_POLICY = "Key.Properties.KeyPolicy.Statement"
INLINE = "Role.Properties.Policies.0.PolicyDocument.Statement"
TRUST = "Role.Properties.AssumeRolePolicyDocument.Statement.0"


def closed_policy(policy: str, action: str, nothing: str = "does not let") -> tuple[Break, ...]:
    """The ways of closing a target's own policy, whose first statement opens it."""
    first = f"{policy}.{POLICY}.0"
    return (
        Break("no policy", policy, GONE, "has no resource policy"),
        Break("other action", f"{first}.Action", "sqs:ListQueues", nothing),
        Break("other service", f"{first}.Principal", {"Service": "ec2.amazonaws.com"}, nothing),
        Break("other account", f"{first}.Condition", OTHER_ACCOUNT, "222233334444"),
        Break("other resource", f"{first}.Resource", "arn:aws:sqs:::other", "does not cover"),
        Break(
            "denied",
            f"{policy}.{POLICY}",
            [allow(action, service="*"), {**deny(action, "*", {}), "Sid": "Never"}],
            "the Deny Never applies",
        ),
    )


def closed_key(statement: int = 1) -> tuple[Break, ...]:
    """The ways of closing a key's policy, one of whose statements opens it for a service."""
    place = f"{KEY_POLICY}.{statement}"
    return (
        Break("key closed", place, GONE, "no statement allows it"),
        Break("key: no data keys", f"{place}.Action", ["kms:Decrypt"], "kms:GenerateDataKey"),
        Break("key: no decryption", f"{place}.Action", ["kms:GenerateDataKey"], "kms:Decrypt"),
        Break("key: other account", f"{place}.Condition", OTHER_ACCOUNT, "222233334444"),
        Break(
            "key: other service",
            f"{place}.Principal",
            {"Service": "ec2.amazonaws.com"},
            "no statement allows it",
        ),
        Break("key of AWS", "Queue.Properties.KmsMasterKeyId", "alias/aws/sqs", "AWS manages"),
        Break("key unknown", "Queue.Properties.KmsMasterKeyId", "alias/theirs", "not in these"),
    )


def without(breaks: tuple[Break, ...], *names: str) -> tuple[Break, ...]:
    """The breaks but for those named."""
    return tuple(item for item in breaks if item.name not in names)


NO_PERMISSION = (
    Break("no permission", "Permission", GONE, "has no resource policy"),
    Break(
        "other service",
        "Permission.Properties.Principal",
        "ec2.amazonaws.com",
        "does not let",
    ),
    Break("other source", "Permission.Properties.SourceArn", "arn:aws:s3:::other", "aws:SourceArn"),
)
QUEUE_BREAKS = closed_policy("QueuePolicy", "sqs:SendMessage") + closed_key()
TOPIC_BREAKS = closed_policy("TopicPolicy", "sns:Publish") + without(
    closed_key(), "key of AWS", "key unknown"
)

LAMBDA = "lambda.amazonaws.com"
USE_KEY = allow(["kms:Decrypt", "kms:GenerateDataKey"], arn("Key"))
STREAMS = {"Fn::Sub": "${Group.Arn}"}


def encrypted_bucket() -> dict[str, Any]:
    """A bucket that is encrypted with the resource `Key`."""
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn("Key")}
    rules = [{"ServerSideEncryptionByDefault": default}]
    return resource("S3::Bucket", BucketEncryption={"ServerSideEncryptionConfiguration": rules})


def less(place: str, actions: list[str]) -> tuple[Break, ...]:
    """Breaks that leave out one action of a statement each."""
    return tuple(
        Break(f"no {action}", place, [a for a in actions if a != action], action.rstrip("*"))
        for action in actions
    )
