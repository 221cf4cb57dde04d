"""What a notebook instance may do: log, report that it is idle, stop itself. No more."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from .job_role import allow, sagemaker_principal

METRICS = "Sagelens"
LOG_GROUP = "/aws/sagemaker/NotebookInstances"
"""SageMaker's own: lifecycle scripts and Jupyter log to streams below the instance's name."""


def notebook_arn(scope: Construct, name: str) -> str:
    """ARN of a notebook instance of the scope's account and Region.

    Args:
        scope: A construct.
        name: Name of the instance.
    """
    stack = cdk.Stack.of(scope)
    return stack.format_arn(service="sagemaker", resource="notebook-instance", resource_name=name)


def notebook_statements(
    scope: Construct, name: str, *, secrets: Sequence[str] = ()
) -> list[iam.PolicyStatement]:
    """What any notebook instance takes to log, and its idle script to report and to stop it.

    Source: "CreateNotebookInstance API: Execution Role Permissions" (Amazon SageMaker AI).

    Args:
        scope: A construct of its account and Region.
        name: Its name.
        secrets: ARNs of the secrets by which it signs in to its code repositories.
    """
    statements = [
        allow(
            "WriteNotebookLogs",
            [
                "logs:CreateLogGroup",
                "logs:CreateLogStream",
                "logs:DescribeLogStreams",
                "logs:PutLogEvents",
            ],
            [_logs(scope, ""), _logs(scope, f":log-stream:{name}/*")],
        ),
        allow(
            "ReportIdleness",
            ["cloudwatch:PutMetricData"],
            ["*"],
            {"StringEquals": {"cloudwatch:namespace": METRICS}},
        ),
        allow("StopItself", ["sagemaker:StopNotebookInstance"], [notebook_arn(scope, name)]),
    ]
    if secrets:
        statements.append(
            allow("SignInToRepositories", ["secretsmanager:GetSecretValue"], list(secrets))
        )
    return statements


def _logs(scope: Construct, rest: str) -> str:
    return cdk.Stack.of(scope).format_arn(
        service="logs",
        resource="log-group",
        resource_name=f"{LOG_GROUP}{rest}",
        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
    )


class WorkbenchRole(iam.Role):
    """A role by which people work in Amazon SageMaker: trusted by it alone, and empty.

    Args:
        scope: The parent construct.
        id: The construct's id.
        description: Whose it is.
    """

    def __init__(self, scope: Construct, id: str, *, description: str) -> None:
        super().__init__(scope, id, description=description, assumed_by=sagemaker_principal())
