"""Statements of a role's policy."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_iam as iam


def allow(sid: str, actions: Sequence[str], *resources: str) -> iam.PolicyStatement:
    """A statement that allows actions on resources.

    Args:
        sid: Its id, by which tests take it away.
        actions: For example ``s3:GetObject``.
        resources: ARNs.
    """
    return iam.PolicyStatement(sid=sid, actions=list(actions), resources=list(resources))
