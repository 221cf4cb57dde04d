"""A standard state machine as every one here is made: encrypted, traced, logged without data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from .job_role import allow


def states_principal() -> iam.ServicePrincipal:
    """Step Functions, working for this account."""
    return iam.ServicePrincipal(
        "states.amazonaws.com",
        conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}},
    )


def encrypted_state_machine(
    scope: Construct,
    id: str,
    *,
    role: iam.IRole,
    definition: Mapping[str, Any],
    encryption_key: kms.IKey,
    log_group: logs.ILogGroup,
) -> stepfunctions.CfnStateMachine:
    """Make a standard state machine.

    Source: "Data at rest encryption" (AWS Step Functions).

    Args:
        scope: The parent construct.
        id: The construct's id.
        role: What it may do, logging and tracing included.
        definition: Its definition, as plain data.
        encryption_key: Key of the definition and the executions.
        log_group: Where it logs. What passes through its states is not logged: it may hold what
            logs should not.
    """
    machine = stepfunctions.CfnStateMachine
    return machine(
        scope,
        id,
        role_arn=role.role_arn,
        state_machine_type="STANDARD",
        definition_string=cdk.Stack.of(scope).to_json_string(dict(definition)),
        tracing_configuration=machine.TracingConfigurationProperty(enabled=True),
        encryption_configuration=machine.EncryptionConfigurationProperty(
            type="CUSTOMER_MANAGED_KMS_KEY",
            kms_key_id=encryption_key.key_arn,
            kms_data_key_reuse_period_seconds=300,
        ),
        logging_configuration=machine.LoggingConfigurationProperty(
            level="ALL",
            include_execution_data=False,
            destinations=[
                machine.LogDestinationProperty(
                    cloud_watch_logs_log_group=machine.CloudWatchLogsLogGroupProperty(
                        log_group_arn=log_group.log_group_arn
                    )
                )
            ],
        ),
    )


def state_machine_metric(arn: str, name: str) -> cloudwatch.Metric:
    """A metric of a state machine, summed over a minute.

    Args:
        arn: The state machine's.
        name: ``ExecutionsStarted``, ``ExecutionsSucceeded``, ``ExecutionsFailed``,
            ``ExecutionsTimedOut`` or ``ExecutionsAborted``.
    """
    return cloudwatch.Metric(
        namespace="AWS/States",
        metric_name=name,
        dimensions_map={"StateMachineArn": arn},
        statistic="Sum",
        period=cdk.Duration.minutes(1),
    )


def grant_start(
    machine: stepfunctions.CfnStateMachine, encryption_key: kms.IKey, grantee: iam.IGrantable
) -> None:
    """Let a principal start an execution and see how it goes.

    Source: "Data at rest encryption" (AWS Step Functions): who looks at an execution decrypts it.

    Args:
        machine: The state machine.
        encryption_key: Its key.
        grantee: A role, user or function.
    """
    executions = cdk.Stack.of(machine).format_arn(
        service="states",
        resource="execution",
        resource_name=f"{machine.attr_name}:*",
        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
    )
    of_this = {"StringEquals": {"kms:EncryptionContext:aws:states:stateMachineArn": machine.ref}}
    for statement in (
        allow("StartMachine", ["states:StartExecution"], [machine.ref]),
        allow("SeeExecutions", ["states:DescribeExecution"], [executions]),
        allow("ReadExecutions", ["kms:Decrypt"], [encryption_key.key_arn], of_this),
    ):
        grantee.grant_principal.add_to_principal_policy(statement)
