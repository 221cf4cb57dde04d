"""Keys behind encrypted resources: the caller needs them too, as on AWS.

MiniStack asks only for the service's own action. On AWS an encrypted bucket, queue, topic or table
also uses its customer-managed key in the caller's name ("Using AWS KMS encryption with AWS
services", AWS KMS Developer Guide).
"""

import logging
from dataclasses import dataclass
from typing import Any

from rehearsal.ministack_adapter.modules import (
    dynamodb,
    iam_evaluator,
    kms,
    responses,
    s3,
    sns,
    sqs,
)

logger = logging.getLogger("rehearsal")
DECRYPT = ("kms:Decrypt",)
ENCRYPT = ("kms:GenerateDataKey",)
BOTH = ("kms:GenerateDataKey", "kms:Decrypt")
ACTIONS: dict[str, tuple[str, ...]] = {
    "s3:GetObject": DECRYPT,
    "s3:GetObjectVersion": DECRYPT,
    "s3:PutObject": ENCRYPT,
    "sqs:SendMessage": BOTH,
    "sqs:ReceiveMessage": DECRYPT,
    "sns:Publish": BOTH,
    **{
        f"dynamodb:{operation}": DECRYPT
        for operation in (
            "GetItem",
            "PutItem",
            "UpdateItem",
            "DeleteItem",
            "ConditionCheckItem",
            "Query",
            "Scan",
            "BatchGetItem",
            "BatchWriteItem",
        )
    },
}


@dataclass(frozen=True)
class Refusal:
    """An action on a key that its caller lacks."""

    action: str
    key_arn: str
    principal_arn: str


def refusal(access_key: str, iam_action: str, service: str, resource_arn: str) -> Refusal | None:
    """What the caller of an allowed action lacks on the resource's key, or None."""
    actions = ACTIONS.get(iam_action)
    if actions is None or iam_evaluator.is_root_access_key(access_key or ""):
        return None
    key = key_of(service, resource_arn)
    record: Any = kms._resolve_key(key) if key else None
    if record is None:
        return None
    for action in actions:
        if not _allowed(access_key, action, service, record):
            principal = iam_evaluator.resolve_principal(access_key, responses.get_account_id())
            return Refusal(action, record["Arn"], getattr(principal, "arn", "?"))
    return None


def key_of(service: str, resource_arn: str) -> str | None:
    """The customer-managed key of a bucket, queue, topic or table; None for AWS's own keys."""
    key: str | None = None
    if service == "s3":
        bucket = resource_arn.removeprefix("arn:aws:s3:::").partition("/")[0]
        headers: dict[str, str] = s3._bucket_default_sse_headers(bucket)
        key = headers.get("x-amz-server-side-encryption-aws-kms-key-id")
    elif service == "sqs":
        queue: Any = sqs._queue_by_arn(resource_arn)
        key = queue["attributes"].get("KmsMasterKeyId") if queue else None
    elif service == "sns":
        topic: Any = sns._topics.get(resource_arn)
        key = topic["attributes"].get("KmsMasterKeyId") if topic else None
    elif service == "dynamodb":
        name = resource_arn.partition(":table/")[2].partition("/")[0]
        table: Any = dynamodb._tables.get(name)
        description: Any = table.get("SSEDescription") if table else None
        key = description.get("KMSMasterKeyArn") if description else None
    return None if not key or "alias/aws/" in key else key


def _allowed(access_key: str, action: str, service: str, record: dict[str, Any]) -> bool:
    account, region = responses.get_account_id(), responses.get_region()
    principal: Any = iam_evaluator.resolve_principal(access_key, account)
    if isinstance(principal, iam_evaluator.AuthError) or principal.policies is None:
        return True  # refused, or allowed, elsewhere
    ctx = iam_evaluator.EvalContext(
        principal_arn=principal.arn,
        principal_type=principal.type,
        principal_account=principal.account,
        action=action,
        resource_arn=record["Arn"],
        region=region,
        principal_keys=principal.keys,
        service_context={
            "kms:viaservice": f"{service}.{region}.amazonaws.com",
            "kms:calleraccount": account,
        },
    )
    result: Any = iam_evaluator.evaluate(ctx, principal.policies, *principal.limits)
    result = iam_evaluator.combine_resource_policy(
        result, ctx, record.get("Policy") or "", account, required=True, limits=principal.limits
    )
    return result.decision == "Allow"


def service_refusal(service: str, kind: str, resource_arn: str, source_arn: str) -> str | None:
    """Why an AWS service may not use the key of a queue or topic that it delivers to, or None.

    Args:
        service: its principal, for example events.amazonaws.com.
        kind: sqs or sns.
        resource_arn: the queue or topic.
        source_arn: the rule, topic or alarm in whose name it delivers.
    """
    key = key_of(kind, resource_arn)
    if key is None:
        return None
    record: Any = kms._resolve_key(key)
    if record is None:
        return f"its key {key} does not exist"
    account, region = responses.get_account_id(), responses.get_region()
    for action in BOTH:
        ctx = iam_evaluator.EvalContext(
            principal_arn="*",
            principal_type="Service",
            principal_account="",
            action=action,
            resource_arn=record["Arn"],
            region=region,
            service_context={
                "aws:sourcearn": source_arn,
                "aws:sourceaccount": account,
                "kms:viaservice": f"{kind}.{region}.amazonaws.com",
                "kms:calleraccount": account,
                f"kms:encryptioncontext:aws:{kind}:arn": resource_arn,
            },
        )
        policy = record.get("Policy") or "{}"
        decision = iam_evaluator.evaluate_resource_policy(policy, ctx, service=service).decision
        if decision != "Allow":
            return f"the policy of its key does not allow {service} {action}"
    return None


def install() -> None:
    """What S3 and SNS deliver to an encrypted queue needs the key's policy too."""
    original = sqs.queue_policy_allows

    def allows(queue_arn: str, service: str, source_arn: str, source_account: str) -> bool:
        if not original(queue_arn, service, source_arn, source_account):
            return False
        refused = service_refusal(service, "sqs", queue_arn, source_arn)
        if refused:
            logger.warning("%s could not deliver to %s: %s", service, queue_arn, refused)
        return refused is None

    sqs.queue_policy_allows = allows
