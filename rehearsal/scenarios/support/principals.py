"""A role that is there for the scenario alone."""

from __future__ import annotations

import json
import uuid
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rehearsal.scenarios.support.context import Context


@contextmanager
def temporary_role(context: Context, statements: Sequence[Mapping[str, Any]]) -> Generator[str]:
    """Make a role with these policy statements, yield its ARN, and remove it at the end."""
    iam, name = context.client("iam"), f"rehearsal-reader-{uuid.uuid4().hex[:8]}"
    account = context.client("sts").get_caller_identity()["Account"]
    trust = _document(
        [{"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}]
    )
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    try:
        iam.put_role_policy(
            RoleName=name, PolicyName="reading", PolicyDocument=_document(statements)
        )
        yield made["Role"]["Arn"]
    finally:
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName=policy)
        iam.delete_role(RoleName=name)


def _document(statements: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
