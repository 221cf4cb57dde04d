"""IAM decisions: what MiniStack's evaluator lacks for the platform's policies."""

import json
from contextvars import ContextVar
from dataclasses import dataclass
from secrets import token_hex
from typing import Any, cast

from rehearsal.ministack_adapter import encryption
from rehearsal.ministack_adapter.modules import iam as iam_service
from rehearsal.ministack_adapter.modules import (
    iam_actions,
    iam_evaluator,
    kms,
    responses,
    router,
    sts,
)

ROOT_KEEPS = frozenset({"s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"})


@dataclass(frozen=True)
class Caller:
    """Who sent a request, for the permissions that a service checks on the caller's behalf."""

    access_key: str
    region: str

    @classmethod
    def of(cls, headers: dict[str, str], query: dict[str, list[str]]) -> "Caller":
        """The caller of a request whose signature MiniStack has already checked."""
        return cls(
            router.extract_access_key_id(headers, query), router.extract_region(headers, query)
        )

    def may_read_object(self, bucket: str, key: str, version: str | None) -> bool:
        """Whether this caller may get the object (or version), bucket policy included."""
        action = "s3:GetObjectVersion" if version else "s3:GetObject"
        query = {"versionId": [version]} if version else {}
        path = f"/{bucket}/{key}"
        context = iam_actions.s3_service_context(action, query, path, {})
        return self._may(action, f"arn:aws:s3:::{bucket}/{key}", context)

    def may_list_bucket(self, bucket: str) -> bool:
        """Whether this caller may list the bucket, and so may know that an object is missing."""
        return self._may("s3:ListBucket", f"arn:aws:s3:::{bucket}", {})

    def may(self, action: str, resource_arn: str, **context: str) -> bool:
        """Whether this caller may do something that a service does on its behalf.

        Args:
            action: for example kms:DescribeKey.
            resource_arn: on which.
            context: condition keys, `:` written as `__`.
        """
        denied = iam_evaluator.enforce(
            self.access_key,
            action,
            action.partition(":")[0],
            self.region,
            resource_arn=resource_arn,
            service_context={name.replace("__", ":"): value for name, value in context.items()},
        )
        return denied is None

    def pass_role_refusal(self, role_arn: str, service: str) -> str | None:
        """Why the caller may not pass a role to a service, in AWS's words; None if it may.

        ("Granting a user permissions to pass a role to an AWS service", IAM User Guide.)
        """
        denied = iam_evaluator.enforce(
            self.access_key,
            "iam:PassRole",
            "iam",
            self.region,
            resource_arn=role_arn,
            service_context={"iam:PassedToService": service},
        )
        if denied is None:
            return None
        who = getattr(denied, "principal_arn", "") or "the caller"
        explicit = getattr(denied, "decision", "") == "Deny"
        why = "with an explicit deny" if explicit else "because no identity-based policy allows"
        rest = " in an identity-based policy" if explicit else " the iam:PassRole action"
        return (
            f"User: {who} is not authorized to perform: iam:PassRole on resource: {role_arn} "
            f"{why}{rest}"
        )

    def _may(self, action: str, resource_arn: str, context: dict[str, Any]) -> bool:
        denied = iam_evaluator.enforce(
            self.access_key,
            action,
            "s3",
            self.region,
            resource_arn=resource_arn,
            service_context=context,
        )
        return denied is None


def install() -> None:
    """Wrap the evaluator and the condition keys."""
    # What services do among themselves is over TLS too, where no request says how it came.
    iam_evaluator._request_origin = ContextVar("rehearsal_origin", default=("127.0.0.1", True))
    _principal_arn()
    _decisions()


def _principal_arn() -> None:
    """aws:PrincipalArn of an assumed role is the role's ARN, path included, not the session's.

    ("AWS global condition context keys", aws:PrincipalArn.)
    """
    original = iam_evaluator._resolve_condition_key

    def resolve(key: str, ctx: Any) -> Any:
        if key.lower() == "aws:principalarn" and ctx.principal_type == "AssumedRole":
            name = iam_evaluator._role_name_from_assumed_arn(ctx.principal_arn)
            role: Any = iam_service._roles.get_scoped(ctx.principal_account, None, name)
            return role["Arn"] if role else ctx.principal_arn
        return original(key, ctx)

    iam_evaluator._resolve_condition_key = resolve


def _decisions() -> None:
    """After MiniStack's decision: the resource's Deny for root, and the resource's key."""
    original = iam_evaluator.enforce

    def enforce(
        access_key_id: str,
        iam_action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: dict[str, Any] | None = None,
    ) -> Any:
        context = service_context or {}
        denied = original(access_key_id, iam_action, service, region, resource_arn, context)
        if denied is not None:
            return denied
        if service == "s3" and iam_evaluator.is_root_access_key(access_key_id or ""):
            return _denied_to_root(iam_action, region, resource_arn, context)
        lacking = encryption.refusal(access_key_id, iam_action, service, resource_arn)
        if lacking is None:
            return None
        # The message that follows names the service's action only: say here what is missing.
        who = f"{lacking.principal_arn} (which lacks {lacking.action} on {lacking.key_arn})"
        return iam_evaluator.EvalResult("ImplicitDeny", principal_arn=who)

    iam_evaluator.enforce = enforce


def _denied_to_root(action: str, region: str, resource_arn: str, context: dict[str, Any]) -> Any:
    """The account's root user is subject to a bucket policy's Deny, as on AWS.

    It can always mend the policy ("Bucket policies for Amazon S3", Amazon S3 User Guide).
    """
    found = iam_evaluator._resource_policy("s3", resource_arn)
    if action in ROOT_KEEPS or not found or not found[0]:
        return None
    account = responses.get_account_id()
    ctx = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:iam::{account}:root",
        principal_type="Account",
        principal_account=account,
        action=action,
        resource_arn=resource_arn,
        region=region,
        service_context={key.lower(): value for key, value in context.items()},
    )
    result = iam_evaluator.evaluate_resource_policy(found[0], ctx)
    if result.decision != "Deny":
        return None
    result.resource_policy_arn = resource_arn
    return result


def role_may(
    role_arn: str,
    action: str,
    service: str,
    resource_arn: str,
    context: dict[str, str] | None = None,
) -> bool:
    """Whether a role may do something that a service does in its name.

    Args:
        role_arn: the role.
        action: for example kms:Decrypt.
        service: through which (its prefix), for kms:ViaService.
        resource_arn: on which.
        context: further condition keys.
    """
    account = responses.get_account_id()
    name = role_arn.rpartition("/")[2]
    ctx = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{account}:assumed-role/{name}/service",
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource_arn,
        region=responses.get_region(),
        secure_transport=True,
        service_context={
            "kms:viaservice": f"{service}.{responses.get_region()}.amazonaws.com",
            "kms:calleraccount": account,
            **{key.lower(): value for key, value in (context or {}).items()},
        },
    )
    limits = iam_evaluator._permissions_boundary(iam_service._roles, name, account)
    policies = iam_evaluator._gather_role_policies(name, account)
    result = iam_evaluator.evaluate(ctx, policies, *limits)
    kind = action.partition(":")[0]
    found = iam_evaluator._resource_policy(kind, resource_arn)
    if found is not None:
        result = iam_evaluator.combine_resource_policy(
            result, ctx, *found, required=kind == "kms", limits=limits
        )
    return result.decision == "Allow"


def role_may_use_key(role_arn: str, action: str, key: str, via: str) -> bool:
    """Whether a role may use a customer-managed key through a service; AWS's own keys always."""
    if key.startswith("alias/aws/"):
        return True
    record = kms._resolve_key(key)
    return record is not None and role_may(role_arn, action, via, record["Arn"])


def role_trusts(role_arn: str, service: str, source_arn: str) -> bool:
    """Whether a role exists and its trust policy lets a service assume it.

    Args:
        role_arn: the role.
        service: its principal, for example sagemaker.amazonaws.com.
        source_arn: the resource in whose name, for aws:SourceArn and aws:SourceAccount.
    """
    account = responses.get_account_id()
    role: Any = iam_service._roles.get(role_arn.rpartition("/")[2])
    if role is None or role["Arn"] != role_arn:
        return False
    ctx = iam_evaluator.EvalContext(
        principal_arn=service,
        principal_type="Service",
        principal_account=account,
        action="sts:AssumeRole",
        resource_arn=role_arn,
        region=responses.get_region(),
        secure_transport=True,
        service_context={"aws:sourceaccount": account, "aws:sourcearn": source_arn},
    )
    # A trust policy names no resource: it is the role's own.
    document: Any = role.get("AssumeRolePolicyDocument") or "{}"
    parsed: dict[str, Any] = json.loads(document) if isinstance(document, str) else document
    given: Any = parsed.get("Statement", [])
    statements = cast("list[dict[str, Any]]", given if isinstance(given, list) else [given])
    policy = {**parsed, "Statement": [{**each, "Resource": "*"} for each in statements]}
    decision = iam_evaluator.evaluate_resource_policy(policy, ctx, service=service).decision
    return decision == "Allow"


def role_credentials(role_arn: str, session: str) -> tuple[str, str, str]:
    """Access key, secret key and session token with which a service acts as a role it has assumed.

    The trust policy is not looked at here: ask role_trusts first.
    """
    account = responses.get_account_id()
    name = role_arn.rpartition("/")[2]
    access, secret, token = f"ASIA{token_hex(8).upper()}", token_hex(20), token_hex(32)
    sts.register_session(
        access,
        {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{name}/{session}",
            "UserId": f"{name}:{session}",
            "SecretAccessKey": secret,
            "SessionToken": token,
        },
    )
    return access, secret, token
